/** What `check` shows: options as text, without secrets. */
import { hidden, isSecretName, redact } from '../redact.ts'
import { JsonText } from '../transform/edit/replacement.ts'
import { FieldReader } from '../transform/field.ts'
import { isRecordFunction } from '../transform/view.ts'

/** A value as `check` prints it: functions and streams by name, everything that may be a secret hidden. */
export function masked(value: unknown, name = ''): unknown {
  if (value === undefined || value === null || typeof value === 'boolean') return value
  if (isSecretName(name)) return hidden
  if (typeof value === 'string') return redact(value)
  if (typeof value === 'number') return Number.isFinite(value) ? value : String(value)
  if (typeof value === 'function') return `[function ${value.name === '' ? 'without a name' : value.name}]`
  if (Array.isArray(value)) return value.map((item) => masked(item, name))
  if (typeof value !== 'object') return `[${typeof value}]`
  if (value instanceof RegExp) return String(value)
  if (value instanceof JsonText) return masked(value.toJSON(), name)
  if (value instanceof FieldReader) return `[field ${value.name}]`
  if (isRecordFunction(value))
    return `[function of a record's ${typeof value.look === 'string' ? value.look : 'field'}]`
  const prototype: unknown = Object.getPrototypeOf(value)
  if (prototype === Object.prototype || prototype === null) {
    if (typeof Reflect.get(value, 'send') === 'function' || typeof Reflect.get(value, 'start') === 'function') {
      return `[${String(Reflect.get(value, 'name'))}]`
    }
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, masked(item, key)]))
  }
  return `[${value.constructor.name}]`
}
