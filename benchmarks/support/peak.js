import { readFile } from 'node:fs/promises'

/**
 * The most memory (RSS) that this process had, in bytes. Linux begins what `resourceUsage` says with the peak of the process that
 * started this one, so there the process's own is asked for.
 */
export async function peakMemory() {
  try {
    const status = await readFile('/proc/self/status', 'utf8')
    const [, kibibytes] = /^VmHWM:\s+(\d+) kB$/m.exec(status) ?? []
    if (kibibytes !== undefined) return Number(kibibytes) * 1024
  } catch (error) {
    if (error.code !== 'ENOENT') throw error
  }
  return process.resourceUsage().maxRSS * 1024
}
