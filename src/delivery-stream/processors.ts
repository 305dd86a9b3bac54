import type { Transforming } from '../firehose.ts'
import { drop, several } from '../transform/result.ts'
import { cloudWatchLogs } from '../transform/unpack/cloudwatch-logs.ts'
import { concatenatedJson } from '../transform/unpack/concatenated-json.ts'
import { type RecordFunction, toRecordFunction } from '../transform/view.ts'
import { readFunction } from './functions.ts'
import { type Members, refusal } from './members.ts'
import type { DeliveryStreamOptions } from './options.ts'

/** What is done with records before they are gathered. */
export interface Processing {
  readonly transform: readonly Transforming[]
  /** The query that tells partition keys, where there is one, and where it stands. */
  readonly query: { readonly text: string; readonly path: string } | undefined
  /** Written behind each record in an object, if anything. */
  readonly delimiter: string | undefined
  /** The same where a processor says so: then it belongs to the record. */
  readonly appended: string | undefined
}

/** The service takes so many records out of one; one with more stays as it is. */
const maxSubRecords = 500

/** Reads `ProcessingConfiguration`; without `Enabled` nothing is done, as in the service. */
export function readProcessing(members: Members, options: DeliveryStreamOptions): Processing {
  const configuration = members.section('ProcessingConfiguration')
  const isEnabled = configuration?.flag('Enabled') ?? false
  const processors = (configuration?.list('Processors') ?? []).map(readProcessor)
  configuration?.end()
  if (!isEnabled) return { transform: [], query: undefined, delimiter: undefined, appended: undefined }
  const types = new Set(processors.map(({ type }) => type))
  const transform: Transforming[] = []
  let query: Processing['query']
  let appended: string | undefined
  for (const { type, path, parameters } of processors) {
    const parameter = (name: string): string | undefined => parameters.get(name)
    if (type === 'Decompression') {
      const extract = types.has('CloudWatchLogProcessing') ? 'messages' : 'documents'
      transform.push(cloudWatchLogs({ extract, controlMessages: extract === 'messages' ? 'drop' : 'keep' }))
    } else if (type === 'CloudWatchLogProcessing') {
      if (!types.has('Decompression')) throw refusal(path, 'needs a processor of type Decompression')
    } else if (type === 'RecordDeAggregation') {
      transform.push(
        parameter('SubRecordType') === 'DELIMITED'
          ? delimited(path, parameter('Delimiter'))
          : concatenatedJson({ maxObjects: maxSubRecords }),
      )
    } else if (type === 'AppendDelimiterToRecord') {
      appended = (parameter('Delimiter') ?? '\\n')
        .replaceAll('\\n', '\n')
        .replaceAll('\\r', '\r')
        .replaceAll('\\t', '\t')
    } else if (type === 'Lambda') {
      transform.push(readFunction(path, parameters, options))
    } else if (type === 'MetadataExtraction') {
      query = readQuery(path, parameters)
    } else {
      throw refusal(path, `cannot be honoured: there is no processor of type ${JSON.stringify(type)} here yet`)
    }
  }
  // The service writes the messages of a document one newline apart.
  const isApart = types.has('Decompression') && types.has('CloudWatchLogProcessing')
  return { transform, query, delimiter: appended ?? (isApart ? '\n' : undefined), appended }
}

interface Processor {
  readonly type: string
  readonly path: string
  readonly parameters: ReadonlyMap<string, string>
}

function readProcessor(members: Members): Processor {
  const type = members.neededText('Type')
  const parameters = new Map<string, string>()
  for (const parameter of members.list('Parameters')) {
    parameters.set(parameter.neededText('ParameterName'), parameter.neededText('ParameterValue'))
    parameter.end()
  }
  members.end()
  return { type, path: members.path, parameters }
}

const longestQuery = 5_120

function readQuery(path: string, parameters: ReadonlyMap<string, string>): Processing['query'] {
  const text = parameters.get('MetadataExtractionQuery')
  const engine = parameters.get('JsonParsingEngine')
  if (text === undefined || text.length > longestQuery) {
    throw refusal(path, `needs a MetadataExtractionQuery of at most ${longestQuery} characters`)
  }
  if (engine !== 'JQ-1.6') throw refusal(path, 'needs JsonParsingEngine JQ-1.6')
  return { text, path }
}

/** The same where the delimiter becomes part of each record. */
export function withDelimiter(processing: Processing): Processing {
  const { transform, appended } = processing
  if (appended === undefined) return processing
  const bytes = Buffer.from(appended)
  const append = toRecordFunction('AppendDelimiterToRecord', (record: Buffer) => Buffer.concat([record, bytes]))
  return { ...processing, transform: [...transform, append] }
}

/** Takes records apart at a separator, which is given in base64. */
function delimited(path: string, base64: string | undefined): RecordFunction {
  const separator = Buffer.from(base64 ?? '', 'base64')
  if (separator.length === 0) throw refusal(path, 'needs a Delimiter in base64 for SubRecordType DELIMITED')
  const take = toRecordFunction('delimited', (record: Buffer) => {
    const found: Buffer[] = []
    for (let from = 0; from < record.length; ) {
      const at = record.indexOf(separator, from)
      const end = at === -1 ? record.length : at
      if (end > from) found.push(record.subarray(from, end))
      from = end + separator.length
    }
    if (found.length === 0) return drop
    return found.length > maxSubRecords ? record : several(found)
  })
  return { ...take, unwraps: true }
}
