import t from 'tap'
import { everyFault } from '../support/s3-faults.ts'
import { startS3 } from '../support/s3-server.ts'

const server = await startS3()
t.teardown(() => server.stop())

t.test('UploadPart fails', (t) => everyFault(t, server, 'UploadPart'))

t.test('CompleteMultipartUpload fails', (t) => everyFault(t, server, 'CompleteMultipartUpload'))
