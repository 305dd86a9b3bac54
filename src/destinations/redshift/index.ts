/** Redshift as a destination: S3, a manifest, COPY. */
export { redshift } from './redshift.ts'
export { RedshiftError } from './redshift-error.ts'
export type {
  RedshiftConnection,
  RedshiftCredentials,
  RedshiftDataApi,
  RedshiftOptions,
  RedshiftPool,
  RedshiftPoolClient,
} from './redshift-options.ts'
export { type ReplayedManifest, replayManifests } from './replay-manifests.ts'
