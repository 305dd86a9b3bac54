import { PutObjectCommand, type UploadPartCommand } from '@aws-sdk/client-s3'

/** What stands for the hash of a body that is not part of the signature (API reference of S3, "Signature Calculations for the Authorization Header"). */
const unsigned = 'UNSIGNED-PAYLOAD'
const place = { step: 'build', name: 'hosepipeUnsignedBody' } as const

/** Leaves the bytes of a request out of its signature where it goes over https. A checksum that the SDK adds is signed. */
export function leaveBodyUnsigned(command: PutObjectCommand | UploadPartCommand): void {
  if (command instanceof PutObjectCommand) command.middlewareStack.add(withoutBody, place)
  else command.middlewareStack.add(withoutBody, place)
}

function withoutBody<Args extends { readonly request: unknown }, Output>(next: (args: Args) => Promise<Output>) {
  return (args: Args): Promise<Output> => {
    if (isSecure(args.request)) args.request.headers['x-amz-content-sha256'] = unsigned
    return next(args)
  }
}

function isSecure(request: unknown): request is { readonly headers: Record<string, string> } {
  if (typeof request !== 'object' || request === null || !('protocol' in request && 'headers' in request)) return false
  return request.protocol === 'https:' && typeof request.headers === 'object' && request.headers !== null
}
