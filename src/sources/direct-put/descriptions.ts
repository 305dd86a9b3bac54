/** Configurations of delivery streams, how they are changed, and how they are described (API reference of the service). */
import { isSecretName } from '../../redact.ts'
import { invalidArgument } from './api-error.ts'
import { isMembers, type Members } from './constraints.ts'

/** What a member ends in, where it is in a configuration, in an update of it, and in its description. */
const [configuration, update, description] = ['Configuration', 'Update', 'Description']
/** Members that have another name in descriptions. */
const described: Readonly<Record<string, string>> = {
  S3Configuration: 'S3DestinationDescription',
  S3BackupConfiguration: 'S3BackupDescription',
}

/** The member of a configuration that says where records go: `ExtendedS3DestinationConfiguration`. @throws ApiError where it is not one */
export function destinationIn(config: Members): string {
  const found = Object.keys(config).filter((name) => /Destination(?:Configuration|Update)$/.test(name) && config[name])
  const [only] = found
  if (only === undefined || found.length > 1) {
    throw invalidArgument(`Exactly one destination configuration must be given, but ${found.length} were.`)
  }
  return only
}

/**
 * The configuration that an update makes of another: members that are given replace those that were there, nested ones too; another kind of destination replaces all.
 */
export function updated(config: Members, change: Members): Members {
  const name = destinationIn(change)
  const target = name.slice(0, -update.length) + configuration
  const before = isMembers(config[target]) ? config[target] : {}
  const changes = Object(change[name])
  const others = Object.entries(config).filter(([member]) => !/Destination(?:Configuration)$/.test(member))
  return { ...Object.fromEntries(others), [target]: merged(before, changes) }
}

/** Members that are replaced as a whole: of what stands in them one excludes the other. */
const wholes: readonly string[] = ['ProcessingConfiguration', 'EncryptionConfiguration', 'Deserializer', 'Serializer']
const conversion = 'DataFormatConversionConfiguration'

function merged(before: Members, changes: Members): Members {
  const after: Record<string, unknown> = { ...before }
  for (const [given, value] of Object.entries(changes)) {
    const name = /^S3(?:Backup)?Update$/.test(given) ? given.slice(0, -update.length) + configuration : given
    const old = after[name]
    const isMerged = isMembers(old) && isMembers(value) && !wholes.includes(name)
    // A conversion that does not say whether it is one, is one: what it said before does not count.
    if (isMerged) after[name] = merged(old, name === conversion ? { Enabled: true, ...value } : value)
    else after[name] = value
  }
  return after
}

/** How a configuration's destination is described. Secrets are not. */
export function describedDestination(config: Members): Members {
  const name = destinationIn(config)
  const destination = Object(config[name])
  const own = withoutSecrets(destination)
  const member = name.slice(0, -configuration.length) + description
  return {
    [member]: own,
    // SDKs of before the extended configuration look here.
    ...(name === 'ExtendedS3DestinationConfiguration' && { S3DestinationDescription: plainS3(own) }),
  }
}

const plainMembers = [
  'RoleARN',
  'BucketARN',
  'Prefix',
  'ErrorOutputPrefix',
  'BufferingHints',
  'CompressionFormat',
  'EncryptionConfiguration',
  'CloudWatchLoggingOptions',
]

function plainS3(own: Members): Members {
  return Object.fromEntries(Object.entries(own).filter(([name]) => plainMembers.includes(name)))
}

function withoutSecrets(members: Members): Members {
  return Object.fromEntries(
    Object.entries(members).flatMap(([name, value]) => {
      if (typeof value === 'string' && isSecretName(name)) return []
      return [[described[name] ?? name, isMembers(value) ? withoutSecrets(value) : value]]
    }),
  )
}
