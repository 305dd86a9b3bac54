export type { Escape } from '../object-key/escape.ts'
export type { ObjectKeyOptions } from '../object-key/object-key.ts'
export { type FileOptions, file } from './file.ts'
export type { FileSystem, OpenFile } from './file-system.ts'
