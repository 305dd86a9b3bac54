/** Manifests: which objects a COPY loads (reference of Redshift, "Using a manifest to specify data files"). */
import { OptionError } from '../../errors.ts'

/** What stands in a manifest. */
export interface Manifest {
  readonly entries: readonly { readonly url: string; readonly mandatory: boolean }[]
}

/** The manifest of some objects, all of which have to be there. */
export function manifestOf(urls: readonly string[]): Manifest {
  return { entries: urls.map((url) => ({ url, mandatory: true })) }
}

/** Reads the text of a manifest. @throws OptionError where it is none */
export function parseManifest(text: string, name: string): Manifest {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    throw new OptionError('manifest', `${name} is no manifest of Redshift: it is not JSON`)
  }
  const entries: unknown = typeof value === 'object' && value !== null && 'entries' in value ? value.entries : undefined
  if (!Array.isArray(entries) || entries.length === 0) {
    throw new OptionError('manifest', `${name} is no manifest of Redshift: it has no entries`)
  }
  const read = entries.map((entry: unknown, i) => {
    const url = typeof entry === 'object' && entry !== null && 'url' in entry ? entry.url : undefined
    if (typeof url === 'string' && /^s3:\/\/[^/]+\/./.test(url)) return url
    throw new OptionError('manifest', `${name} is no manifest of Redshift: entry ${i} has no url of an object in S3`)
  })
  return manifestOf(read)
}

/** Where manifests stand that belong to objects with a prefix: its folders, up to the first expression. */
export function folderOf(prefix: string): string {
  const fixed = prefix.split('!{')[0] ?? ''
  return fixed === prefix && !prefix.includes('/') ? fixed : fixed.slice(0, fixed.lastIndexOf('/') + 1)
}
