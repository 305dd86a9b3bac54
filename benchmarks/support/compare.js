/** What follows from results: ratios, and whether targets are reached. */

/** Whether a way was timed: one that failed has no figures. */
export function isTimed(result) {
  return result?.ms !== undefined
}

/**
 * How fast one way is in the speed of another: 2 is twice as fast. `undefined` where one has no figures. What counts is the time a
 * byte, because ways are measured on different amounts of the same data.
 *
 * @param {'ms' | 'best'} time - The median, or the fastest pass.
 */
export function speedIn(ways, name, other, time = 'ms') {
  const [ours, theirs] = [ways[name], ways[other]]
  if (!isTimed(ours) || !isTimed(theirs)) return undefined
  return theirs[time] / theirs.bytes / (ours[time] / ours.bytes)
}

/**
 * The targets that a shape has, with what was measured.
 *
 * @returns {{id: string, way: string, against: string, wanted: number, found: number | undefined, unit: 'speed' | 'memory', reached: boolean}[]}
 */
export function judged(shape, { targets, shapes }) {
  const ways = shapes[shape]
  return targets.flatMap(({ id, way = 'hosepipe', against, speed, memory }) => {
    const unit = speed === undefined ? 'memory' : 'speed'
    const wanted = (speed ?? memory)[shape]
    if (wanted === undefined) return []
    const found = unit === 'speed' ? speedIn(ways, way, against) : memoryAbove(ways, way, against)
    const reached = found !== undefined && (unit === 'speed' ? found >= wanted : found <= wanted)
    return [{ id, way, against, wanted, found, unit, reached }]
  })
}

function memoryAbove(ways, name, other) {
  const [ours, theirs] = [ways[name], ways[other]]
  return ours?.maxRss === undefined || theirs?.maxRss === undefined ? undefined : ours.maxRss - theirs.maxRss
}

/**
 * What is much slower than it was: the ways of which the speed in another's is less than the `tolerated` part of what the table
 * says. The fastest passes are compared, because what else a machine does only adds to them. A case that failed, now or in the
 * table, is a loss too: nobody knows how fast it is.
 *
 * @param {readonly {stage: string, shape: string, against: string}[]} checks
 * @param {Record<string, Record<string, Record<string, object>>>} now - By stage, shape and way.
 * @param {Record<string, {shapes: Record<string, Record<string, object>>}>} table - The results that were kept.
 * @param {number} tolerated - 0.5 takes twice as slow for a loss.
 */
export function compared(checks, now, table, tolerated) {
  return checks.map((check) => {
    const { stage, shape, against } = check
    const found = speedIn(now[stage]?.[shape] ?? {}, 'hosepipe', against, 'best')
    const usual = speedIn(table[stage]?.shapes[shape] ?? {}, 'hosepipe', against, 'best')
    const isLoss = found === undefined || usual === undefined || found < usual * tolerated
    return { ...check, found, usual, isLoss }
  })
}
