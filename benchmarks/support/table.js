import { MiB } from './numbers.js'

/**
 * The results of one shape as a Markdown table.
 *
 * @param {string} shape
 * @param {number} bytes - The size of the data.
 * @param {Map<string, {records?: number, ms: number, cpu: number, maxRss: number}>} results - Ours is `hosepipe`.
 * @param {readonly {against: string, speed: Record<string, number>}[]} targets - How fast ours is to be, in the speed of another.
 */
export function table(shape, bytes, results, targets) {
  const ours = results.get('hosepipe')
  const records = [...results.values()].find((result) => result.records !== undefined)?.records
  const rows = [...results].map(([name, { ms, cpu, maxRss }]) => [
    name,
    (bytes / 1e6 / (ms / 1000)).toFixed(0),
    records === undefined ? '' : ((ms * 1e6) / records).toFixed(0),
    ms.toFixed(0),
    cpu.toFixed(0),
    (maxRss / MiB).toFixed(0),
    name === 'hosepipe' ? '' : `${(ms / ours.ms).toFixed(2)} ×${goal(shape, name, ms / ours.ms, targets)}`,
    name === 'hosepipe' ? '' : `${(cpu / ours.cpu).toFixed(2)} ×`,
  ])
  const header = [shape, 'MB/s', 'ns a record', 'ms', 'ms of processor', 'peak MiB', 'our speed in its', 'by processor']
  return [header, header.map((_, i) => (i === 0 ? '---' : '--:')), ...rows]
    .map((row) => `| ${row.join(' | ')} |`)
    .join('\n')
}

function goal(shape, name, speed, targets) {
  const wanted = targets.find(({ against }) => against === name)?.speed[shape]
  if (wanted === undefined) return ''
  return ` (${speed >= wanted ? 'reaches' : 'misses'} ${wanted.toFixed(2)})`
}
