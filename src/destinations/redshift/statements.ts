/** The SQL of a load. Names are quoted, texts escaped: nothing that a user or a record says becomes SQL but the options of COPY, which are checked. */
import { listOf, literal, partsOf, quoted, quotedName } from './identifiers.ts'
import type { RedshiftCredentials } from './redshift-options.ts'

/** What a load is made of. */
export interface LoadShape {
  /** `schema.table`. */
  readonly table: string
  readonly columns: readonly string[] | undefined
  /** Options of COPY, as they stand behind MANIFEST. */
  readonly copyOptions: string
  readonly iamRole: string | undefined
  readonly credentials: RedshiftCredentials | undefined
  /** The table in which loads are noted. */
  readonly ledger: string | undefined
  readonly merge: { readonly keys: readonly string[]; readonly latest?: string | undefined } | undefined
}

/** What runs in one transaction. */
export interface Load {
  /** Whether the load is noted already; asked inside of the transaction, behind a lock that others who ask wait for. */
  readonly ledger: { readonly lock: string; readonly isThere: string } | undefined
  readonly statements: readonly string[]
}

const staging = '"hosepipe_staging"'

/** Makes the statements of a load. */
export function loadOf(shape: LoadShape, manifest: string, id: string, now: number): Load {
  const { ledger, merge } = shape
  const noted = ledger === undefined ? undefined : quoted(ledger)
  const note =
    noted === undefined
      ? []
      : [`INSERT INTO ${noted} (manifest, loaded_at) VALUES (${literal(id)}, ${literal(timestampOf(now))})`]
  return {
    ledger:
      noted === undefined
        ? undefined
        : {
            lock: `LOCK TABLE ${noted}`,
            isThere: `SELECT COUNT(*) AS found FROM ${noted} WHERE manifest = ${literal(id)}`,
          },
    statements: [
      ...(merge === undefined ? [copyInto(quoted(shape.table), shape, manifest)] : merged(shape, merge, manifest)),
      ...note,
    ],
  }
}

/** In UTC; the time of the database is a function that not all of its nodes know. */
function timestampOf(time: number): string {
  return new Date(time).toISOString().slice(0, 19).replace('T', ' ')
}

function copyInto(target: string, shape: LoadShape, manifest: string): string {
  const columns = shape.columns === undefined ? '' : ` (${listOf(shape.columns)})`
  const options = shape.copyOptions === '' ? '' : ` ${shape.copyOptions}`
  return `COPY ${target}${columns} FROM ${literal(manifest)} ${authorization(shape)} MANIFEST${options}`
}

function authorization({ iamRole, credentials }: LoadShape): string {
  if (iamRole !== undefined) return iamRole === 'default' ? 'IAM_ROLE default' : `IAM_ROLE ${literal(iamRole)}`
  const { accessKeyId = '', secretAccessKey = '', sessionToken } = credentials ?? {}
  const token = sessionToken === undefined ? '' : ` SESSION_TOKEN ${literal(sessionToken)}`
  return `ACCESS_KEY_ID ${literal(accessKeyId)} SECRET_ACCESS_KEY ${literal(secretAccessKey)}${token}`
}

/** Rows of the same key are replaced. Of those that come together the latest is taken, or any one. */
function merged(
  shape: LoadShape,
  { keys, latest }: NonNullable<LoadShape['merge']>,
  manifest: string,
): readonly string[] {
  const target = quoted(shape.table)
  const columns = listOf(shape.columns ?? [])
  // Behind FROM it goes by its name without the schema.
  const bare = quotedName(partsOf(shape.table).at(-1) ?? '')
  const sameKey = keys.map((key) => `${bare}.${quotedName(key)} = ${staging}.${quotedName(key)}`).join(' AND ')
  const order = latest === undefined ? '' : ` ORDER BY ${quotedName(latest)} DESC NULLS LAST`
  const numbered = `SELECT ${columns}, ROW_NUMBER() OVER (PARTITION BY ${listOf(keys)}${order}) AS "hosepipe_number" FROM ${staging}`
  return [
    `CREATE TEMPORARY TABLE ${staging} (LIKE ${target} INCLUDING DEFAULTS)`,
    copyInto(staging, shape, manifest),
    `DELETE FROM ${target} USING ${staging} WHERE ${sameKey}`,
    `INSERT INTO ${target} (${columns}) SELECT ${columns} FROM (${numbered}) AS "hosepipe_numbered" WHERE "hosepipe_number" = 1`,
    `DROP TABLE ${staging}`,
  ]
}

/** Asks for the table and its columns, and gets no row. */
export function probeOf({ table, columns }: Pick<LoadShape, 'table' | 'columns'>): string {
  return `SELECT ${columns === undefined ? '1' : listOf(columns)} FROM ${quoted(table)} WHERE 1 = 0`
}
