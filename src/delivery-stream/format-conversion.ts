import type { Encoder } from '../encode/encoder.ts'
import type { ParquetOptions } from '../encode/parquet/index.ts'
import { type Members, refusal } from './members.ts'
import type { DeliveryStreamOptions } from './options.ts'

/** Makes the format that records are converted to. */
export type MakeFormat = () => Promise<Encoder>

/** Reads `DataFormatConversionConfiguration`; `undefined` where nothing is converted. */
export function readConversion(members: Members, { schemas = {} }: DeliveryStreamOptions): MakeFormat | undefined {
  const conversion = members.section('DataFormatConversionConfiguration')
  if (conversion === undefined) return undefined
  // A conversion that does not say whether it is one, is one.
  const isEnabled = conversion.flag('Enabled') ?? true
  if (!isEnabled) return undefined
  const table = conversion.neededSection('SchemaConfiguration')
  const name = `${table.neededText('DatabaseName')}.${table.neededText('TableName')}`
  table.pass('RoleARN', 'CatalogId', 'Region', 'VersionId')
  table.end()
  const schema = schemas[name]
  if (schema === undefined)
    throw refusal(table.path, `names the table ${JSON.stringify(name)}, which the option schemas has not`)
  const reading = readDeserializer(conversion.neededSection('InputFormatConfiguration').neededSection('Deserializer'))
  const writing = readSerializer(conversion.neededSection('OutputFormatConfiguration').neededSection('Serializer'))
  conversion.end()
  return async () => {
    const { parquet } = await import('../encode/parquet/index.ts')
    return parquet({ schema, ...reading, ...writing })
  }
}

function readDeserializer(members: Members): ParquetOptions {
  const openX = members.section('OpenXJsonSerDe')
  const hive = members.section('HiveJsonSerDe')
  if ((openX === undefined) === (hive === undefined)) {
    throw refusal(members.path, 'must have either OpenXJsonSerDe or HiveJsonSerDe')
  }
  members.end()
  if (hive !== undefined) {
    hive.refuse('TimestampFormats', 'name them in the schema of the option schemas')
    hive.end()
    return {}
  }
  const options = {
    caseInsensitive: openX?.flag('CaseInsensitive') ?? true,
    convertDotsInJsonKeysToUnderscores: openX?.flag('ConvertDotsInJsonKeysToUnderscores') ?? false,
    columnToJsonKeyMappings: openX?.texts('ColumnToJsonKeyMappings') ?? {},
  }
  openX?.end()
  return options
}

const codecs = { SNAPPY: 'snappy', GZIP: 'gzip', UNCOMPRESSED: 'none' } as const

function readSerializer(members: Members): ParquetOptions {
  members.refuse('OrcSerDe', 'ORC is not written here')
  const parquet = members.neededSection('ParquetSerDe')
  members.end()
  const compression = codecs[parquet.word('Compression', ['SNAPPY', 'GZIP', 'UNCOMPRESSED'], 'SNAPPY')]
  const pageBytes = parquet.number('PageSizeBytes', 65_536, 2 ** 31 - 1, 1_048_576)
  // How a file is laid out inside: readers find the same in it.
  parquet.pass('BlockSizeBytes', 'MaxPaddingBytes', 'EnableDictionaryCompression', 'WriterVersion')
  parquet.end()
  return { compression, pageBytes }
}
