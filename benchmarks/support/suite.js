/** What is measured, on how much data, and how often. */

/** The stages, in the order of the tables. */
export const stageNames = [
  'batch',
  'split',
  'transform',
  'filter',
  'edit',
  'threads',
  'keys',
  'growth',
  'door',
  'door-bytes',
  'encode',
  'compress',
  'files',
  'store',
  's3',
  's3-objects',
  'documents',
  'events',
  'direct-put',
  'kpl',
  'lambda',
  'jq',
  'logs',
]

/** With `--quick`: what a change is most likely to hurt. */
export const quickNames = ['batch', 'split', 'transform', 'filter', 'keys', 'growth', 'door', 'compress']
const quickShape = '1 KB'

/** Garbage is collected every few dozen mebibytes, so a pass over less takes either too little time or too much. */
const usualMebibytes = 64
/** Rivals get less, because they take longer; what is compared is the time a byte. */
const slowMebibytes = 8
const roundsOfTargets = 5
const roundsOfOthers = 3
/** Its rivals are far behind, and take long. */
const distant = 'P10'

/** @typedef {{quick: boolean, rounds: number | undefined}} Extent */

/** Loads a stage. */
export function load(name) {
  return import(`../stages/${name}.js`)
}

/** The shapes that a stage is measured with. */
export function shapesOf(stage, { quick }) {
  return quick ? [quickShape] : stage.shapes
}

/** For how many milliseconds a case is measured at least. */
export function leastOf(stage, { quick }) {
  return stage.least ?? (quick ? 250 : 300)
}

/**
 * The cases of a stage with one shape.
 *
 * @param {Extent} extent
 * @returns {import('./run.js').Case[]}
 */
export function casesOf(stage, shape, { quick, rounds }) {
  const near = stage.targets.filter(({ id }) => id !== distant)
  const isInTarget = (name) => near.some(({ way = 'hosepipe', against }) => name === way || name === against)
  const ways = Object.entries(stage.ways).filter(([, { notFor }]) => !notFor?.includes(shape))
  return ways.map(([name, way]) => {
    const usual = isInTarget(name) ? roundsOfTargets : roundsOfOthers
    return {
      name,
      way: name,
      keys: way.keys,
      changes: way.changes,
      isIdle: way.isIdle,
      rounds: rounds ?? (quick ? 1 : (way.rounds ?? stage.rounds ?? usual)),
      mebibytes: mebibytesOf(stage, shape, way, quick),
    }
  })
}

function mebibytesOf(stage, shape, way, quick) {
  const ofStage = stage.mebibytesByShape?.[shape] ?? stage.mebibytes ?? usualMebibytes
  const mebibytes = way.mebibytes ?? (way.slow ? slowMebibytes : ofStage)
  return quick ? mebibytes * (stage.quickly ?? 1) : mebibytes
}
