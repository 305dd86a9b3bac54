import { join, resolve, sep } from 'node:path'
import { type Compressor, compressorField } from '../../compress/compressor.ts'
import type { Destination, Request, SendContext } from '../../deliver/destination.ts'
import { type Encoder, encoderField } from '../../encode/encoder.ts'
import { describe, HosepipeError, OptionError } from '../../errors.ts'
import {
  described,
  expecting,
  type Fields,
  flag,
  hasMethod,
  option,
  readOptions,
  required,
  whole,
} from '../../options.ts'
import { checkPrefixes } from '../object-key/check-prefixes.ts'
import { type ObjectKeyOptions, objectKeyFields, objectKeys } from '../object-key/object-key.ts'
import { prefixTimes } from '../object-key/prefix-times.ts'
import { partitionKeysIn } from '../object-key/template.ts'
import { type FileSystem, systemFiles } from './file-system.ts'
import { checkFolder, Folders } from './folders.ts'
import { patient } from './open-files.ts'
import { checkedKey, maxNameBytes, maxPathBytes } from './path-limits.ts'
import { clearTemporary, temporaryBytes } from './temporary.ts'
import { writeObject } from './write-object.ts'

/** Options of {@link file}. Those of object keys name the files in `dir`. */
export interface FileOptions extends ObjectKeyOptions {
  /** The folder that the files go to; made when the first file is written. A relative one is taken from where the process is now. */
  readonly dir: string
  /**
   * Whether a file, and the folders that lead to it, are on the disk before its records count as delivered. Default `true`. With
   * `false` a power cut can lose or truncate files that were delivered; a crash of the process alone cannot.
   */
  readonly fsync?: boolean | undefined
  /** The format. Default: that of `deliver`, newline-delimited JSON. */
  readonly encode?: Encoder | undefined
  /** The compression. Default: none. */
  readonly compress?: Compressor | undefined
  /** Files that are written at a time: a whole number from 1. Default: that of `deliver`. */
  readonly concurrency?: number | undefined
  /** The file system, for tests that let it fail. Default: `node:fs/promises`. */
  readonly fs?: FileSystem | undefined
}

/** The table of {@link FileOptions}. */
export const fileFields = {
  ...objectKeyFields,
  dir: required(
    expecting(
      'the path of a folder, without NUL',
      (value) => typeof value === 'string' && value !== '' && !value.includes('\0'),
    ),
  ),
  fsync: option(flag, { default: true, about: 'Whether a file is on the disk before its records count as delivered.' }),
  encode: encoderField,
  compress: compressorField,
  concurrency: described(whole('files at a time'), 'Files that are written at a time. Default: that of the way.'),
  fs: expecting('an object with mkdir(), open(), rename() and unlink()', (value) =>
    ['mkdir', 'open', 'rename', 'unlink'].every((name) => hasMethod(value, name)),
  ),
} satisfies Fields<FileOptions>

/** Bytes of a file's name that are kept for what a prefix adds to it behind its last slash. */
const reservedBytes = 55
/** What every name has beside name, version and extension: time, UUID and dashes. */
const fixedBytes = '--yyyy-MM-dd-HH-mm-ss-'.length + 36
/** The least that is left for folders below `dir`. */
const leastRoom = 256

/**
 * A destination that writes each batch to a file of its own, in folders below `dir`. A file appears whole or not at all: it is
 * written under a hidden name, `.<name>.<machine>-<process>-<random>.tmp`, and renamed. When the process is killed, such a temporary file
 * may stay; it is removed when a stream to the same `dir` is next begun on the same machine.
 *
 * Values of partition keys never lead out of `dir`, and make no folders of their own unless `escape` is `'none'`: `a/b` is written as
 * `a%2Fb`. Different values have different names (where the file system tells upper from lower case). A record whose name would have
 * more than 255 bytes fails with `Delivery.NoObjectKey`.
 *
 * Errors of the file system (`ENOSPC`, `EACCES`) are passed on as they come, and what was written of the file is removed.
 *
 * @throws OptionError when an option is not what it should be, `prefix` or `errorPrefix` cannot be used or lead out of `dir`.
 */
export function file(options: FileOptions): Destination {
  const {
    fsync,
    encode,
    compress,
    concurrency,
    fs: given = systemFiles,
    ...read
  } = readOptions('file', options, fileFields)
  const fs = patient(given)
  const dir = resolve(read.dir)
  const room = maxPathBytes - 1 - Buffer.byteLength(dir) - 1 - temporaryBytes
  if (room < leastRoom + maxNameBytes) {
    throw new OptionError('file.dir', `file: dir must leave ${leastRoom} bytes of a path, but came as ${describe(dir)}`)
  }
  const objectKey = objectKeys(options, {
    stage: 'file',
    join: (prefix, name) => checkedKey(prefix + name, room),
  })
  checkNames(options)
  checkPrefixes('file', options, objectKey)
  const folders = new Folders(fs, dir, fsync)

  return {
    name: 'file',
    encode,
    compress,
    concurrency,
    partitionKeys: partitionKeysIn(`${options.prefix ?? ''}${options.objectName ?? ''}`),
    prefixTimes: prefixTimes(options),
    objectKey,
    async open() {
      await checkFolder(dir)
      // It goes on beside the first writes, and takes no error for one of theirs.
      void clearTemporary(dir)
    },
    send: async ({ objectKey: key, parts }: Request, { signal }: SendContext) =>
      writeObject({ fs, folders, path: pathIn(dir, key), parts, fsync, signal }),
  }
}

/** The file that a key means. What makes keys lets none out of `dir`; this holds if it should ever be wrong. */
function pathIn(dir: string, key: string | undefined): string {
  if (key === undefined || key === '')
    throw new HosepipeError('Delivery.NoObjectKey', 'file: the request has no object key')
  const path = join(dir, key)
  if (path.startsWith(dir.endsWith(sep) ? dir : dir + sep)) return path
  throw new HosepipeError('Delivery.NoObjectKey', `file: the object key ${describe(key)} leads out of dir`)
}

/** Refuses names that leave no room for what a prefix adds to them, so that it is not each batch that fails. */
function checkNames(options: FileOptions): void {
  const { name = 'hosepipe', version = '1', encode, compress, objectName } = options
  // What is too long of itself is found when the prefixes are tried out.
  if (objectName !== undefined) return
  const extension = options.extension || (encode?.extension ?? '') + (compress?.extension ?? '')
  if (name.length + version.length + Buffer.byteLength(extension) + fixedBytes > maxNameBytes - reservedBytes) {
    throw new OptionError(
      'file.extension',
      `file: name, version and extension must leave ${reservedBytes} bytes of a file's name, but came as ${describe(name)}, ${describe(version)} and ${describe(extension)}`,
    )
  }
}
