import { OptionError } from '../../errors.ts'
import { expecting, type Fields, readOptions } from '../../options.ts'
import { drop } from '../result.ts'
import { type RecordFunction, text } from '../view.ts'
import { Line } from './line.ts'

/** Options of {@link vpcFlowLog}. */
export interface VpcFlowLogOptions {
  /** The format of the flow log, as it was given to AWS (`'${version} ${vpc-id} ${srcaddr}'`), or the names of its fields. Default: those of version 2. */
  readonly format?: string | readonly string[] | undefined
}

const fields = {
  format: expecting("a format such as 'version srcaddr' in braces with dollar signs, or a list of names", (value) => {
    return typeof value === 'string' || (Array.isArray(value) && value.every((name) => typeof name === 'string'))
  }),
} satisfies Fields<VpcFlowLogOptions>

/** Those of version 2 (VPC's guide, "Flow log records"). */
const version2 = [
  'version',
  'account-id',
  'interface-id',
  'srcaddr',
  'dstaddr',
  'srcport',
  'dstport',
  'protocol',
  'packets',
  'bytes',
  'start',
  'end',
  'action',
  'log-status',
]
/** Of versions 3 to 5. */
const later = [
  'vpc-id',
  'subnet-id',
  'instance-id',
  'tcp-flags',
  'type',
  'pkt-srcaddr',
  'pkt-dstaddr',
  'region',
  'az-id',
  'sublocation-type',
  'sublocation-id',
  'pkt-src-aws-service',
  'pkt-dst-aws-service',
  'flow-direction',
  'traffic-path',
]
const numbers = new Set([
  'version',
  'srcport',
  'dstport',
  'protocol',
  'packets',
  'bytes',
  'start',
  'end',
  'tcp-flags',
  'traffic-path',
])
const known = new Set([...version2, ...later])

/** A record of a flow log, by the names of its fields; numbers are numbers, and what has no value is `null`. */
export type VpcFlowLogEntry = Readonly<Record<string, string | number | null>>

/**
 * For `transform`: records of VPC flow logs, of versions 2 to 5, as objects. A line with the names of the fields, as files have it first, is dropped. A line that does not fit fails alone, with the column.
 *
 * @throws OptionError
 * @example
 * firehose({ split: lines(), transform: vpcFlowLog({ format: '${version} ${vpc-id} ${srcaddr} ${dstaddr} ${bytes}' }), to })
 */
export function vpcFlowLog(options: VpcFlowLogOptions = {}): RecordFunction {
  const { format } = readOptions('vpcFlowLog', options, fields)
  const names = namesOf(format)
  const header = names.join(' ')
  return text((record) => {
    const line = new Line('record of this flow log', record)
    if (line.hasNext(header)) return drop
    return entryOf(line, names)
  })
}

function entryOf(line: Line, names: readonly string[]): VpcFlowLogEntry {
  const entry: Record<string, string | number | null> = {}
  for (const [i, name] of names.entries()) {
    if (i > 0) line.expect(' ', `a blank before ${name}`)
    const { column } = line
    const value = line.word(name)
    if (value === '-') entry[name] = null
    else if (!numbers.has(name)) entry[name] = value
    else if (/^\d{1,15}$/.test(value)) entry[name] = Number(value)
    else throw line.unfit(`${name}, a number or -`, column)
  }
  line.end()
  return entry
}

function namesOf(format: VpcFlowLogOptions['format']): readonly string[] {
  if (format === undefined) return version2
  const names =
    typeof format === 'string'
      ? format
          .trim()
          .split(/\s+/)
          .map((field) => field.replace(/^\$\{(.*)\}$/, '$1'))
      : format
  const unknown = names.find((name) => !known.has(name))
  if (unknown === undefined && names.length > 0) return names
  throw new OptionError('vpcFlowLog.format', `vpcFlowLog: format has a field that flow logs do not have: ${unknown}`)
}
