import { isTimed, judged, speedIn } from './compare.js'
import { MiB } from './numbers.js'

/**
 * The results of one shape as a Markdown table. Its last columns say how many times as fast ours is as each way or, where ways
 * are compared with one of them, how fast each is in its speed.
 */
export function table(shape, result) {
  const ways = result.shapes[shape]
  const { base } = result
  const hasWritten = Object.values(ways).some(({ written }) => written !== undefined)
  const goals = judged(shape, result).filter(({ unit }) => unit === 'speed')
  const rows = Object.entries(ways).map(([name, way]) => {
    if (way.failed !== undefined) return [name, `failed: ${way.failed}`]
    const memory = digits(way.maxRss / MiB)
    if (!isTimed(way)) return [name, '', '', '', memory]
    const [ours, theirs] = base === undefined ? ['hosepipe', name] : [name, baseOf(base, name)]
    const ratio = ours === theirs ? undefined : speedIn(ways, ours, theirs)
    const goal = goals.find((each) => each.way === ours && each.against === theirs)
    return [
      name,
      digits(way.bytes / 1e6 / (way.ms / 1000)),
      digits((way.ms * 1e6) / way.records),
      digits((way.cpu * 1e6) / way.records),
      memory,
      ...(hasWritten ? [way.written === undefined ? '' : (way.bytes / way.written).toFixed(2)] : []),
      ratio === undefined ? '' : times(ratio),
      goal === undefined
        ? ''
        : `${goal.id}: ${amount('speed', goal.wanted)} ${goal.reached ? 'reached' : '**missed**'}`,
    ]
  })
  const comparison =
    base === undefined ? 'hosepipe is as fast' : `as fast as ${typeof base === 'string' ? base : '1 ×'}`
  const header = [shape, 'MB/s', 'ns a record', 'ns of processor', 'peak MiB']
  if (hasWritten) header.push('times smaller')
  header.push(comparison, 'wanted')
  return markdown(header, '--:', rows)
}

/** All targets as a Markdown table, what was missed in bold. */
export function targetsTable(results) {
  const groups = new Map()
  for (const result of Object.values(results)) {
    for (const shape of Object.keys(result.shapes)) {
      for (const goal of judged(shape, result)) {
        const { id, way, against, unit } = goal
        const key = JSON.stringify([result.title, id, way, against, unit])
        const stage = result.title.split(':')[0]
        groups.set(key, [...(groups.get(key) ?? []), { ...goal, shape, stage }])
      }
    }
  }
  const numberOf = ([{ id }]) => Number(id.slice(1))
  const rows = [...groups.values()]
    .sort((a, b) => numberOf(a) - numberOf(b))
    .map((goals) => {
      const [{ id, stage, way, against, unit }] = goals
      const wanted = [...new Set(goals.map((goal) => amount(unit, goal.wanted)))]
      const found = goals.map(({ shape, found: each, reached }) => {
        const text = `${shape}: ${each === undefined ? 'unknown' : amount(unit, each)}`
        return reached ? text : `**${text}**`
      })
      const bound = unit === 'speed' ? 'at least' : 'at most'
      return [
        id,
        way === 'hosepipe' ? stage : `${stage}: ${way}`,
        against,
        `${bound} ${wanted.join(', ')}`,
        found.join('; '),
      ]
    })
  return markdown(['', 'way', 'compared with', 'wanted', 'measured'], '---', rows)
}

function baseOf(base, name) {
  return typeof base === 'string' ? base : (base[name] ?? name)
}

function amount(unit, value) {
  return unit === 'speed' ? times(value) : `${Math.round(value / MiB)} MiB more`
}

/** A ratio, as often. */
export function times(ratio) {
  return `${ratio.toFixed(ratio < 10 ? 2 : 1)} ×`
}

/** More than three digits cannot be repeated. */
function digits(value) {
  return Number(value.toPrecision(3)).toLocaleString('en-US', { maximumFractionDigits: 2 })
}

function markdown(header, alignment, rows) {
  const rule = header.map((_, i) => (i === 0 ? '---' : alignment))
  return [header, rule, ...rows].map((row) => `| ${row.join(' | ')} |`).join('\n')
}
