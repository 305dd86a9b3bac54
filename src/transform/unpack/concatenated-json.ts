import { HosepipeError, toError } from '../../errors.ts'
import { described, type Fields, readOptions, whole } from '../../options.ts'
import { fail, several } from '../result.ts'
import { type RecordFunction, toRecordFunction } from '../view.ts'
import { jsonObjectsIn } from './json-objects.ts'

/** Options of {@link concatenatedJson}. */
export interface ConcatenatedJsonOptions {
  /** So many objects at most are taken out of a record; one with more stays as it is. The service has 500. Default: no limit. */
  readonly maxObjects?: number | undefined
}

const fields = {
  maxObjects: described(whole('objects'), 'So many objects at most are taken out of a record.'),
} satisfies Fields<ConcatenatedJsonOptions>

/**
 * For `transform`: takes JSON objects out of records in which several stand one behind another, with nothing or white space between them, as producers write
 * them that put small events together: `{"a":1}{"a":2}`. Each is a record of its own from then on; its bytes stay as they are. A record with anything else in it fails as a whole (`Split.Malformed`).
 * What the service calls de-aggregation (guide, "Deaggregate data").
 *
 * @throws OptionError
 * @example
 * firehose({ transform: concatenatedJson(), to })
 */
export function concatenatedJson(options: ConcatenatedJsonOptions = {}): RecordFunction {
  const { maxObjects } = readOptions('concatenatedJson', options, fields)
  const unpack = toRecordFunction('concatenatedJson', (record: Buffer) => {
    try {
      const objects = jsonObjectsIn(record, maxObjects)
      return maxObjects !== undefined && objects.length > maxObjects ? record : several(objects)
    } catch (error) {
      return fail(
        new HosepipeError('Split.Malformed', `the record is no row of JSON objects: ${toError(error).message}`),
      )
    }
  })
  return { ...unpack, unwraps: true }
}
