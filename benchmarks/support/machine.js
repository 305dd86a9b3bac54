import { availableParallelism, cpus, totalmem } from 'node:os'

/** What the figures were measured with. */
export function machine() {
  const memory = Math.round(totalmem() / 2 ** 30)
  const model = cpus()[0]?.model.trim() ?? 'an unknown processor'
  return `${model}, ${availableParallelism()} cores, ${memory} GiB, ${process.platform}, Node ${process.versions.node}`
}
