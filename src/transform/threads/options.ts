import type { ResourceLimits } from 'node:worker_threads'
import { type Fields, object, whole } from '../../options.ts'
import type { TransformOptions } from '../transform-options.ts'

/**
 * Options of {@link transform} when it is given a module. `concurrency` counts for each thread. At most two slabs of 1 MiB for
 * each thread are under way, or of one record if that is larger.
 */
export interface ThreadOptions extends TransformOptions {
  /** How many threads. Default: as many as the machine has cores; at least 1. */
  readonly threads?: number | undefined
  /**
   * Limits of each thread's memory, as `new Worker()` of `node:worker_threads` takes them. A thread that needs more is ended: the
   * records that it works on fail, and it is replaced. Default: those of Node. The danger: with less than some 10 MB a thread cannot
   * even start, and some versions of Node end the whole process then.
   */
  readonly resourceLimits?: ResourceLimits | undefined
}

/** The fields that {@link ThreadOptions} has more than those of a transform. */
export const threadFields: Omit<Fields<ThreadOptions>, keyof TransformOptions> = {
  threads: whole('threads'),
  resourceLimits: object,
}
