import type { BatchOptions } from '../batch/batch-stage.ts'
import { isTimestampFrom, timestampOptions } from '../batch/keys/record-time.ts'
import { OptionError } from '../errors.ts'
import { calendarUnits } from '../time/calendar.ts'
import type { Destination } from './destination.ts'

/**
 * Fills in what the records of a batch have to share, where their own time is read: what the prefix of the destination tells apart, in its
 * zone.
 *
 * @throws OptionError where records of several hours, or days, would come under the name of one.
 */
export function withPrefixTimes(batching: BatchOptions, { name, prefixTimes }: Destination): BatchOptions {
  const { timestampFrom } = batching
  if (!isTimestampFrom(timestampFrom) || prefixTimes === undefined) return batching
  const given = timestampOptions(timestampFrom)
  const { unit, timeZone } = prefixTimes
  if (unit === 'second') {
    const words = `batch: timestampFrom cannot be used with a prefix of ${name} that tells seconds: each would be a batch of its own`
    throw new OptionError('batch.timestampFrom', words)
  }
  const every = given.every ?? unit ?? 'hour'
  if (unit !== undefined && calendarUnits.indexOf(unit) < calendarUnits.indexOf(every)) {
    const words = `batch: timestampFrom.every must be '${unit}' or shorter, because the prefix of ${name} tells each ${unit} apart, but came as '${every}'`
    throw new OptionError('batch.timestampFrom.every', words)
  }
  if (unit !== undefined && given.timeZone !== undefined && given.timeZone !== timeZone) {
    const words = `batch: timestampFrom.timeZone must be that of ${name}, ${timeZone}, but came as ${given.timeZone}`
    throw new OptionError('batch.timestampFrom.timeZone', words)
  }
  return { ...batching, timestampFrom: { ...given, every, timeZone: given.timeZone ?? timeZone } }
}
