/** Transforms that are made of a name or of a module of another kind: Lambda handlers, and blueprints. */
import type { RecordFunction, Stage } from '../index.ts'
import { nearestOf, readOptions } from '../options.ts'
import type { HandlerOptions } from '../transform/lambda/handler.ts'
import { moduleUrl } from '../transform/module-url.ts'
import { passOn } from './forms.ts'
import { UsageError } from './usage-error.ts'

/** By the flags that name them. */
export const readyKinds = ['lambda', 'blueprint'] as const

/** A transform of such a kind. */
export type ReadyKind = (typeof readyKinds)[number]

/**
 * Makes what makes the stage of a transform.
 *
 * @param what - The path of a handler's module, or the name of a blueprint.
 * @param options - Those of `handler()`; a blueprint has none.
 * @throws Error in words
 */
export async function readyMade(kind: ReadyKind, what: string, options: object): Promise<() => Stage> {
  if (kind === 'lambda') {
    const { handler, handlerFields } = await import('../transform/lambda/handler.ts')
    const { loadHandler } = await import('../transform/lambda/call-handler.ts')
    const { exportName, threads } = readOptions<HandlerOptions, typeof handlerFields>(
      'lambda',
      passOn(options),
      handlerFields,
    )
    const module = moduleUrl('lambda', what).href
    // What is to run in threads, because it may do anything, is loaded there alone.
    if (threads === undefined) await loadHandler(module, exportName)
    return () => handler(what, passOn(options))
  }
  const { transform } = await import('../transform/transform.ts')
  const fn = await blueprint(what)
  // Made once for nothing: its options are checked when it is made.
  transform(fn(), passOn(options)).destroy()
  return () => transform(fn(), passOn(options))
}

async function blueprint(name: string): Promise<() => RecordFunction> {
  const all = await import('../transform/blueprints/index.ts')
  const blueprints: Readonly<Record<string, () => RecordFunction>> = {
    'apache-common': () => all.accessLog({ format: 'common' }),
    'apache-combined': () => all.accessLog(),
    nginx: () => all.accessLog(),
    syslog: () => all.syslog(),
    'syslog-rfc3164': () => all.syslog({ format: 'rfc3164' }),
    'syslog-rfc5424': () => all.syslog({ format: 'rfc5424' }),
    'vpc-flow-log': () => all.vpcFlowLog(),
    'load-balancer': () => all.loadBalancerLog(),
    cloudfront: () => all.cloudFrontLog(),
    w3c: () => all.w3cLog(),
    'single-line': () => all.singleLine(),
  }
  const make = Object.hasOwn(blueprints, name) ? blueprints[name] : undefined
  if (make !== undefined) return make
  const nearest = nearestOf(name, Object.keys(blueprints))
  const hint = nearest === undefined ? '' : `; did you mean ${nearest}?`
  throw new UsageError(`blueprint must be one of ${Object.keys(blueprints).join(', ')}, but came as ${name}${hint}`)
}
