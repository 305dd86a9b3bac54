import { type ErrorCode, HosepipeError } from '../../errors.ts'

/** Why an invocation failed as a whole. */
export class InvocationError extends HosepipeError {
  override readonly name = 'InvocationError'
  /** What may help: the same once more, fewer records at a time, or nothing. */
  readonly remedy: 'again' | 'halves' | 'none'

  constructor(code: ErrorCode, message: string, remedy: InvocationError['remedy'], options?: ErrorOptions) {
    super(code, message, options)
    this.remedy = remedy
  }
}
