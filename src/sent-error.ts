import { type ErrorCode, errorCodes, HosepipeError } from './errors.ts'

/** What is left of an error between threads: whatever else hangs on it may be something that cannot be copied. */
export interface SentError {
  readonly name: string
  readonly message: string
  readonly stack: string | undefined
  readonly code: string | undefined
}

/** Takes from an error what can be sent. */
export function toSent(error: Error): SentError {
  const code: unknown = 'code' in error ? error.code : undefined
  return {
    name: String(error.name),
    message: String(error.message),
    stack: typeof error.stack === 'string' ? error.stack : undefined,
    code: typeof code === 'string' ? code : undefined,
  }
}

/** An error like the one that was sent, with its stack in the thread. */
export function fromSent({ name, message, stack, code }: SentError): Error {
  const error = isOurs(code) ? new HosepipeError(code, message) : Object.assign(new Error(message), { name })
  if (code !== undefined) Object.assign(error, { code })
  if (stack !== undefined) error.stack = stack
  return error
}

/** Whether a code is one of `errorCodes`. */
export function isOurs(code: string | undefined): code is ErrorCode {
  return code !== undefined && Object.hasOwn(errorCodes, code)
}
