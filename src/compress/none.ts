import type { Compressor } from './compressor.ts'

/** Does not compress: the parts come back as they are. No extension, no content encoding. */
export const none: Compressor = {
  name: 'none',
  extension: '',
  contentEncoding: undefined,
  compress: async (parts) => parts,
}
