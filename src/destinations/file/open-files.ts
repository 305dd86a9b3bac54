import { codeOf, toError } from '../../errors.ts'
import type { FileSystem } from './file-system.ts'

/** How many files of this process are open by this, how many are being opened, and who waits for one to be closed. */
let [open, opening] = [0, 0]
const waiting: (() => void)[] = []

/**
 * A file system in which a file that cannot be opened because too many are open (`EMFILE`, `ENFILE`) waits until another one is closed: no
 * attempt has failed then. Where none of ours is open the error is passed on.
 */
export function patient(fs: FileSystem): FileSystem {
  return {
    mkdir: (path) => fs.mkdir(path),
    rename: (from, to) => fs.rename(from, to),
    unlink: (path) => fs.unlink(path),
    async open(path, flags) {
      for (;;) {
        opening += 1
        const file = await fs.open(path, flags).catch(toError)
        opening -= 1
        if (!(file instanceof Error)) {
          open += 1
          return {
            writev: (buffers) => file.writev(buffers),
            sync: () => file.sync(),
            close: () => file.close().finally(closed),
          }
        }
        const code = codeOf(file, 'Delivery.Failed')
        const isLast = open + opening === 0
        // Nothing will be closed for those that wait: they try again, and hear what is wrong.
        if (isLast) for (const resume of waiting.splice(0)) resume()
        if (isLast || (code !== 'EMFILE' && code !== 'ENFILE')) throw file
        await new Promise<void>((resolve) => waiting.push(resolve))
      }
    },
  }
}

function closed(): void {
  open -= 1
  waiting.shift()?.()
}
