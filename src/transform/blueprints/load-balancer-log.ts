import type { RecordFunction } from '../view.ts'
import { type Line, numberOrNull, reading, textOrNull } from './line.ts'

/** An entry of the access log of an Application Load Balancer, by the names of its guide ("Access log entries"), without dashes and colons. */
export type LoadBalancerLogEntry = Readonly<Record<string, string | number | null>>

/** The fields in their order; those with a `"` are quoted, those with a `#` are numbers. The last ones came later: older logs do not have them. */
const fields = [
  'type',
  'time',
  'elb',
  'client',
  'target',
  '#request_processing_time',
  '#target_processing_time',
  '#response_processing_time',
  '#elb_status_code',
  '#target_status_code',
  '#received_bytes',
  '#sent_bytes',
  '"request',
  '"user_agent',
  'ssl_cipher',
  'ssl_protocol',
  'target_group_arn',
  '"trace_id',
  '"domain_name',
  '"chosen_cert_arn',
  'matched_rule_priority',
  'request_creation_time',
  '"actions_executed',
  '"redirect_url',
  '"error_reason',
  '"target_list',
  '"target_status_code_list',
  '"classification',
  '"classification_reason',
  'conn_trace_id',
] as const
/** So many fields all logs have. */
const least = fields.indexOf('"error_reason') + 1

/**
 * For `transform`: entries of the access logs of Application Load Balancers as objects. Fields that are newer than this function are left in `more`. A line that does not fit fails alone, with the column.
 *
 * @example
 * firehose({ split: lines(), transform: loadBalancerLog(), to })
 */
export function loadBalancerLog(): RecordFunction {
  return reading('entry of the access log of a load balancer', entryOf)
}

function entryOf(line: Line): LoadBalancerLogEntry {
  const entry: Record<string, string | number | null> = {}
  for (const [i, field] of fields.entries()) {
    if (line.isOver && i >= least) break
    const name = field.replace(/^["#]/, '')
    if (i > 0) line.expect(' ', `a blank before ${name}`)
    if (field.startsWith('"')) entry[name] = textOrNull(line.enclosed('"', '"', `${name} in quotes`))
    else if (field.startsWith('#')) entry[name] = numberOrNull(line, line.word(name), `${name}, a number or -`)
    else entry[name] = textOrNull(line.word(name))
  }
  if (!line.isOver) {
    line.expect(' ', 'a blank')
    entry.more = line.rest()
  }
  return entry
}
