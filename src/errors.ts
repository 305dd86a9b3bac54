import { redact, withoutSecrets } from './redact.ts'

/**
 * Every code that an error or a backup record of ours carries, with what it means. The list is the type: a code that is not
 * here does not compile. Codes of destinations that speak for themselves (`HTTP 503`, `ENOSPC`) are passed through as they came.
 */
export const errorCodes = {
  'Options.Invalid': 'an option has a value that its stage does not take, or a name that it does not know',
  'Input.Unsupported': 'a chunk is neither bytes, text, a plain value, Records, FailedRecords nor a Batch',
  'Split.Encoding': 'the input is UTF-16, by its byte order mark',
  'Split.RecordTooLarge': 'a record is longer than maxRecordBytes',
  'Split.Malformed': 'the bytes do not have the form that the splitter reads',
  'Transform.Failed': 'the function said fail(reason)',
  'Transform.Threw': 'the function threw, or its promise was rejected',
  'Transform.NoResult': 'the function returned undefined, which is neither a record nor drop',
  'Transform.TimedOut': 'a promise of the function was not settled within the timeout',
  'Transform.NotJson': 'the record is not JSON, and the function asked for its parsed value',
  'Transform.NotUtf8': 'the record is not UTF-8, and the function asked for its text',
  'Transform.Malformed': 'the record does not have the form that the function reads',
  'Transform.NotSerialisable': 'the value has no JSON form (a cycle, a BigInt, a function)',
  'Transform.WrongAnswer': 'a predicate or a function returned what it may not',
  'Transform.NoThreads': 'a transform in threads needs a package that is not installed',
  'Transform.NotLoaded':
    'the module of a transform in threads cannot be loaded, or exports nothing that is a transform',
  'Transform.WorkerCrashed':
    'the thread that worked on the record, or on its neighbours, ended before it had an answer',
  // The service's own code for partition keys that are missing, null or empty: guide, "Dynamic partitioning, error handling".
  'DynamicPartitioning.MetadataExtractionFailed': 'the partition key of the record is missing, null or empty',
  // Those of functions are the service's own, too: guide, "Monitoring with CloudWatch Logs", data transformation errors.
  'Lambda.FunctionError': 'the function ended with an error, or its process did',
  'Lambda.FunctionTimedOut': 'the function was not done in its time',
  'Lambda.FunctionRequestTimedOut': 'the request for an invocation was not answered in its time',
  'Lambda.InvokeLimitExceeded': 'more invocations at a time than Lambda allows',
  'Lambda.InvokeAccessDenied': 'there is no permission to invoke the function',
  'Lambda.ResourceNotFound': 'there is no such function',
  'Lambda.InvocationFailure': 'the function could not be invoked, for a reason that has no other code',
  'Lambda.ServiceUnavailable': 'Lambda is not available',
  'Lambda.InternalServerError': 'Lambda failed',
  'Lambda.TargetServerFailedToRespond': 'the connection to Lambda failed before there was an answer',
  'Lambda.InvalidSecurityToken': 'Lambda does not take the credentials',
  'Lambda.InvalidSubnetIDException': 'a subnet in the configuration of the function is none',
  'Lambda.InvalidSecurityGroupIDException': 'a security group in the configuration of the function is none',
  'Lambda.SubnetIPAddressLimitReachedException': 'the subnet of the function has no address left',
  'Lambda.ENILimitReachedException': 'there are no network interfaces left for the function',
  'Lambda.InvalidZipFileException': 'the code of the function cannot be unpacked',
  'Lambda.MissingRecordId': 'the function has not answered the record',
  'Lambda.DuplicatedRecordId': 'the function has answered the record more than once',
  'Lambda.ProcessingFailedStatus': 'the function has said that the record failed',
  'Lambda.InvalidReturnFormat': 'the function has answered the record in a form that is none',
  'Lambda.JsonMappingException': 'something in the answer of the function is not what stands there',
  'Lambda.JsonProcessingException': 'the answer of the function is not JSON',
  'Lambda.RequestTooLarge': 'one record makes an event that is larger than Lambda takes',
  'DynamicPartitioning.ActivePartitionLimitExceeded':
    'as many partitions are open as `maxOpenKeys` says, and the record is of another one',
  'Batch.NoTimestamp': 'the record has no time where `timestampFrom` looks for it',
  'Code.Mistake':
    'a function threw a TypeError or a ReferenceError, for every record in the same place, or sent nothing by it',
  'Encode.Unavailable': 'the format needs a package that is not installed',
  'Encode.NewlineInRecord': 'the record has a newline in it, and its format has a record a line',
  'Encode.Refused': 'the encoder could not write this record, and has no code for why',
  'Encode.WrongAnswer': 'an encoder refused records that are not there, or without an Error',
  // The service's own codes: guide, "Record format conversion error handling".
  'DataFormatConversion.ParseError': 'the record is not JSON',
  'DataFormatConversion.MalformedData':
    'the record is no JSON object, or a value in it cannot become what its column holds',
  'DataFormatConversion.InvalidRecord': 'a key cannot become what the keys of its map are',
  'Compress.Unavailable': 'the compression needs a newer Node or a package that is not installed',
  'Source.Damaged': 'what a source has given is damaged, or in a format that is not read',
  'Source.Failed': 'a source can give no records, and will not by itself',
  'Decompress.Unsupported': 'the input is compressed in a way that cannot be read',
  'Decompress.Damaged': 'the compressed input is damaged or breaks off',
  'Decompress.TrailingBytes': 'there are bytes behind the compressed data',
  'Delivery.RecordTooLarge': 'one record is larger than its destination takes',
  'Delivery.Refused': 'the destination refused this record and not the whole batch',
  'Delivery.Failed': 'the destination failed, and is not to be tried again or the time for retries is over',
  'Delivery.TimedOut': 'an attempt took longer than the timeout',
  'Delivery.WrongAnswer': 'send returned what it may not',
  'Delivery.Misconfigured': 'the destination has refused batch after batch because it is set up wrongly',
  'Delivery.AnswerTooLarge': 'the answer of a server is longer than it may be',
  'Delivery.NoObjectKey': 'no object key can be made for the batch',
  'Backup.None': 'a record failed and there is no backup to take it',
  'Backup.Failed': 'the backup did not take a failed record either',
  'FanOut.BranchFull': 'a branch is too far behind, and its policy says that its records go to its backup',
} as const

/** A code from {@link errorCodes}. */
export type ErrorCode = keyof typeof errorCodes

/**
 * An error of ours: has a code from {@link errorCodes}, and the error that caused it as its `cause`. What may be a secret is taken out
 * of its message and of its cause.
 */
export class HosepipeError extends Error {
  override readonly name: string = 'HosepipeError'
  /** What went wrong, for programs. */
  readonly code: ErrorCode

  constructor(code: ErrorCode, message: string, options?: ErrorOptions) {
    super(redact(message), options?.cause === undefined ? options : { cause: withoutSecrets(options.cause) })
    this.code = code
  }
}

/** An option that cannot be taken; the message names the stage, the option, what was expected and what came. */
export class OptionError extends HosepipeError {
  override readonly name = 'OptionError'
  /** The option's name, with its stage in front: `batch.maxBytes`. */
  readonly option: string

  constructor(option: string, message: string) {
    super('Options.Invalid', message)
    this.option = option
  }
}

/** Turns whatever was thrown into an `Error`, keeping it as it is where it is one already. */
export function toError(thrown: unknown): Error {
  if (thrown instanceof Error) return thrown
  const text = typeof thrown === 'string' ? thrown : describe(thrown)
  return new Error(text, { cause: thrown })
}

/** The code that a thrown error carries (`ENOSPC`, `Delivery.TimedOut`), or `otherwise` where it has none. */
export function codeOf(error: Error, otherwise: ErrorCode): string {
  const code: unknown = 'code' in error ? error.code : undefined
  return typeof code === 'string' && code !== '' ? code : otherwise
}

/** Names a value in a message: its type, and its content where that is short and can be no secret. */
export function describe(value: unknown): string {
  switch (typeof value) {
    case 'string':
      return value.length > 20 ? `a string of ${value.length} characters` : JSON.stringify(value)
    case 'number':
    case 'boolean':
    case 'undefined':
      return String(value)
    case 'bigint':
      return `${value}n`
    case 'function':
      return 'a function'
    case 'symbol':
      return value.toString()
    default:
      if (value === null) return 'null'
      if (Array.isArray(value)) return `an array of ${value.length}`
      return `an object of class ${Object.getPrototypeOf(value)?.constructor?.name ?? 'null'}`
  }
}
