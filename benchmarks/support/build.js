/** Where the package is that is measured: the built one, so that what users get is measured; or another build, to compare two. */
import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'

const other = process.env.HOSEPIPE_BUILD
export const dist = other === undefined ? new URL('../../dist/', import.meta.url) : pathToFileURL(`${resolve(other)}/`)
