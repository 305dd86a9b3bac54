declare module 'kinesalite' {
  import type { Server } from 'node:http'

  /** Makes a server of Kinesis that keeps streams in memory. */
  export default function kinesalite(options?: {
    readonly createStreamMs?: number
    readonly deleteStreamMs?: number
    readonly updateStreamMs?: number
    readonly shardLimit?: number
  }): Server
}
