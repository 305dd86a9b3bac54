/**
 * Which destinations the command line knows, by the scheme of their URL. A new one is a line in the table; nothing else knows of
 * it. What a destination needs is imported when it is opened: `--help` loads nothing of it.
 */
import { nearestOf } from '../../options.ts'
import type { Config } from '../config.ts'
import { passOn } from '../forms.ts'
import { needing, UsageError } from '../usage-error.ts'
import { type Address, parseAddress } from './address.ts'
import { openEndpoint, openOpenSearch, openSplunk, openWebhook } from './http.ts'
import type { Opened } from './opened.ts'
import { openRedshift } from './redshift.ts'
import { type Stdout, stdout } from './stdout.ts'

/** What one scheme means. */
interface Scheme {
  /** How it is written, for messages. */
  readonly form: string
  /** Makes the destination. Options are those of its own function, as the config has them. @throws OptionError */
  open(address: Address, options: Config, output: Stdout): Promise<Opened>
}

const schemes: Readonly<Record<string, Scheme>> = {
  'file:': {
    form: 'a folder, or file:…',
    async open({ rest }, options) {
      const { file } = await import('../../destinations/file/index.ts')
      return { destination: file({ ...options, dir: rest }) }
    },
  },
  's3:': {
    form: 's3://bucket/prefix',
    async open({ rest }, options) {
      if (/^\/\/(?!arn:)[^/]*[:@]/.test(rest)) {
        throw new UsageError(
          's3: an address has no account; credentials come from the environment (AWS_ACCESS_KEY_ID, AWS_PROFILE, …)',
        )
      }
      const [, bucket = '', path = ''] = /^\/\/([^/]*)\/?(.*)$/s.exec(rest) ?? []
      const { s3 } = await import('../../destinations/s3/index.ts').catch(
        needing('@aws-sdk/client-s3 @aws-sdk/lib-storage'),
      )
      const { prefix = '' } = options
      const whole = { ...options, prefix: typeof prefix === 'string' ? path + prefix : prefix }
      return { destination: s3({ ...passOn(whole), bucket }) }
    },
  },
  'http:': { form: 'http://…', open: openWebhook },
  'https:': { form: 'https://…', open: openWebhook },
  'firehose+http:': { form: 'firehose+http://…', open: openEndpoint },
  'firehose+https:': { form: 'firehose+https://…', open: openEndpoint },
  'splunk+http:': { form: 'splunk+http://…', open: openSplunk },
  'splunk+https:': { form: 'splunk+https://…', open: openSplunk },
  'opensearch+http:': { form: 'opensearch+http://…/index', open: openOpenSearch },
  'opensearch+https:': { form: 'opensearch+https://…/index', open: openOpenSearch },
  'redshift:': { form: 'redshift://user@host/database/table?s3=…&iamRole=…', open: openRedshift },
  'redshift+data:': { form: 'redshift+data://workgroup/database/table?s3=…&iamRole=…', open: openRedshift },
  '-': {
    form: '- for standard output',
    open: async (_, options, output) => stdout(options, output),
  },
}

/**
 * Makes the destination that a URL means.
 *
 * @throws UsageError for a scheme that is not known; it names those that are, and nothing of the URL but its scheme.
 * @throws OptionError from the destination.
 */
export async function openDestination(url: string, options: Config, output: Stdout): Promise<Opened> {
  const address = parseAddress(url)
  const scheme = Object.hasOwn(schemes, address.scheme) ? schemes[address.scheme] : undefined
  if (scheme !== undefined) return scheme.open(address, options, output)
  const nearest = nearestOf(address.scheme, Object.keys(schemes))
  const hint = nearest === undefined ? '' : ` Did you mean ${nearest}?`
  const forms = Object.values(schemes).map(({ form }) => form)
  throw new UsageError(`there is no destination ${address.scheme}; there are: ${forms.join('; ')}.${hint}`)
}
