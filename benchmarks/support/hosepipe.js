/** The built package, so that what users get is measured; or another build, to compare two. */
import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'

const other = process.env.HOSEPIPE_BUILD
const url =
  other === undefined ? new URL('../../dist/index.js', import.meta.url) : pathToFileURL(resolve(other, 'index.js'))

export const { batch, deliver, json, lines, split, transform } = await import(url.href)
