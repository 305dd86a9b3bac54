declare module 'dynalite' {
  import type { Server } from 'node:http'

  /** Makes a server of DynamoDB that keeps tables in memory. */
  export default function dynalite(options?: {
    readonly createTableMs?: number
    readonly deleteTableMs?: number
  }): Server
}
