/** An answer of the Firehose API that is an error: `{"__type": "…", "message": "…"}` (API reference of the service, "Common errors"). */
export class ApiError extends Error {
  override readonly name: string
  /** 400 for mistakes of the client, 503 where it may come again. */
  readonly status: number

  constructor(name: string, message: string, status = 400) {
    super(message)
    this.name = name
    this.status = status
  }
}

/** There is no room now, or a quota is used up: SDKs come again by themselves. */
export const slowDown = { code: 'ServiceUnavailableException', message: 'Slow down.' }

export function unavailable(message = slowDown.message): ApiError {
  return new ApiError(slowDown.code, message, 503)
}

export function invalidArgument(message: string): ApiError {
  return new ApiError('InvalidArgumentException', message)
}

/** A member has another type than the API gives it, or the body is no JSON. */
export function notSerialised(message: string): ApiError {
  return new ApiError('SerializationException', message)
}
