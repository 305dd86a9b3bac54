import { type RecordFunction, text } from '../view.ts'

/**
 * For `transform`: makes one line of a record with several: the blanks around each line go, and the newlines between them (the Kinesis Agent's `SINGLELINE`). For a stream of bytes in which a record is
 * everything up to the next line that begins in a certain way, there is the splitter `multiline`.
 *
 * @example
 * firehose({ split: multiline(/\d{4}-\d\d-\d\d /), transform: singleLine(), to })
 */
export function singleLine(): RecordFunction {
  return text((record) =>
    record
      .split(/\r\n|\r|\n/)
      .map((line) => line.trim())
      .join(''),
  )
}
