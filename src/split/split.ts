import type { Core } from '../door.ts'
import { checkOptions, type Fields } from '../options.ts'
import { type Outlet, Stage, type StageOptions, stageFields } from '../stage.ts'
import type { SplitOutlet, Splitter } from './splitter.ts'

const fields: Fields<StageOptions> = stageFields

/**
 * Finds the records in a stream of bytes: bytes in, {@link Records} out. Text counts as its UTF-8 bytes. Values that are neither
 * bytes nor text are records already and go through as they are.
 *
 * @param splitter - How records are told apart: `lines()`, `separator(…)`, `jsonValues(…)`, `lengthPrefixed()`, or your own.
 * @throws OptionError for an option that is not known.
 * @example
 * createReadStream('events.ndjson').pipe(split(lines()))
 */
export function split(splitter: Splitter, options: StageOptions = {}): Stage {
  checkOptions<StageOptions>('split', options, fields)
  return new Stage({ name: `split(${splitter.name})`, ...options }, (outlet) => splitCore(splitter, outlet))
}

function splitCore(splitter: Splitter, outlet: Outlet): Core {
  const splitOutlet: SplitOutlet = {
    open(count, from, to) {
      const arrivedAt = outlet.clock.wall()
      return { receipt: outlet.account.open(count, arrivedAt, { position: { from, to } }), arrivedAt }
    },
    push: (chunk) => void outlet.push(chunk),
    now: () => outlet.clock.wall(),
  }
  const state = splitter.start(splitOutlet)
  return {
    bytes: (chunk) => state.write(chunk),
    records: (records) => void outlet.push(records),
    failed: (failed) => void outlet.push(failed),
    end: () => state.end(),
    destroy: () => state.destroy?.(),
  }
}
