import { createReadStream } from 'node:fs'
import { file } from '../destinations/file/index.ts'
import { drop, type Firehose, fail, firehose, gzip, jsonValues } from '../index.ts'
import { dataOf } from './data.ts'
import { type Dataset, type Noted, noting } from './run.ts'

/** What is read of a GeoJSON feature. */
interface Feature {
  readonly id: string
  readonly properties: { readonly type: string; readonly net: string; readonly mag: number; readonly time: number }
  readonly geometry: { readonly coordinates: readonly [longitude: number, latitude: number, depth: number] }
}

/** 1,700 earthquakes of a GeoJSON file, by the network that measured them. */
export const earthquakes: Dataset = {
  name: 'earthquakes',
  about: 'the features of a GeoJSON file, by the network that measured them',
  input: () => createReadStream(dataOf('earthquakes.json')),
  firehose(dir: string, noted: Noted): Firehose {
    return firehose({
      split: jsonValues({ path: 'features' }),
      transform: noting(prepare, noted),
      batch: { maxBytes: '1MiB', maxAge: '2s', key: '{net}' },
      compress: gzip(),
      to: file({ dir: `${dir}/earthquakes`, prefix: 'net=!{partitionKey:net}/!{timestamp:yyyy-MM-dd}/' }),
      backup: file({ dir: `${dir}/earthquakes-failed` }),
    })
  },
}

/** Explosions are not earthquakes, and no earthquake begins above the sea. */
function prepare({ id, properties, geometry }: Feature) {
  const { type, net, mag, time } = properties
  const [longitude, latitude, depth] = geometry.coordinates
  if (type !== 'earthquake') return drop
  if (depth < 0) return fail(`${-depth} km above the sea`)
  return { id, net, magnitude: mag, at: new Date(time), longitude, latitude, depth }
}
