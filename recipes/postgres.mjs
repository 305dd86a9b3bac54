// PostgreSQL as a destination: one statement for a batch; where a record does not fit, that record alone is refused.
// The client is one of `pg`, or whatever else has such a `query`.

/**
 * @param {{ query(sql: string, values?: unknown[]): Promise<unknown> }} client One connection, because of the transaction.
 * @param {string} table Its columns have the names of the records' members.
 * @returns {import('hosepipe').Destination}
 */
export function postgres(client, table) {
  const insert = `INSERT INTO ${table} SELECT * FROM json_populate_recordset(NULL::${table}, $1::json) ON CONFLICT DO NOTHING`
  const rows = (records) => `[${records.join()}]`

  return {
    name: 'postgres',
    // The connection does one thing at a time.
    concurrency: 1,
    limits: { maxRecords: 5_000 },
    async send({ batch }) {
      const records = Array.from(batch, String)
      try {
        await client.query(insert, [rows(records)])
        return undefined
      } catch (error) {
        // Class 22 is "data exception", 23 "integrity constraint violation": some record. Anything else is not about records.
        if (!/^2[23]/.test(error.code)) throw error
      }
      const refused = []
      await client.query('BEGIN')
      for (const [index, record] of records.entries()) {
        await client.query('SAVEPOINT record')
        try {
          await client.query(insert, [rows([record])])
        } catch (error) {
          refused.push({ index, error, retryable: false })
          await client.query('ROLLBACK TO record')
        }
      }
      await client.query('COMMIT')
      return { refused }
    },
  }
}
