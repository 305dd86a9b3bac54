/** Results as pictures: SVG that is made without a browser, and is legible on light and on dark pages. */
import { parse, View } from 'vega'
import { compile } from 'vega-lite'
import { isTimed } from './compare.js'
import { MiB } from './numbers.js'

/** Which stages have a picture, and what it says to those who do not see it. */
export const pictures = {
  batch: {
    kind: 'speeds',
    file: 'pass-through.svg',
    alt: 'Bars: megabytes a second of pass-through, by way and shape of records',
  },
  split: {
    kind: 'speeds',
    file: 'split.svg',
    alt: 'Bars: megabytes a second of splitting, by way and shape of records',
  },
  transform: {
    kind: 'speeds',
    file: 'parse-way.svg',
    alt: 'Bars: megabytes a second of the parse way, by way and shape of records',
  },
  filter: {
    kind: 'speeds',
    file: 'filter.svg',
    alt: 'Bars: megabytes a second of a filter, by way and shape of records',
  },
  keys: {
    kind: 'keyLines',
    file: 'keys.svg',
    alt: 'Lines: nanoseconds a record and peak memory, by the number of keys',
  },
  growth: { kind: 'memories', file: 'growth.svg', alt: 'Bars: peak memory by the amount of data' },
  door: {
    kind: 'speeds',
    file: 'door.svg',
    alt: 'Bars: megabytes a second of single objects, by way and shape of records',
  },
  compress: {
    kind: 'speeds',
    file: 'compress.svg',
    alt: 'Bars: megabytes a second of compression, by way and shape of records',
  },
}

const light = { page: '#ffffff', text: '#1f2328', grid: '#d8dee4', ours: '#0969da', others: '#9199a3' }
const dark = { page: '#0d1117', text: '#e6edf3', grid: '#30363d', ours: '#58a6ff', others: '#7d8590' }
const sides = { domain: ['ours', 'others'], range: [light.ours, light.others] }
const barHeight = 19
const panelWidth = 190

/** The picture of a stage's results, as the text of an SVG file. */
export async function picture(name, result) {
  const make = { speeds, keyLines, memories }[pictures[name].kind]
  return drawn(make(result))
}

/** A picture with a panel of bars for each of some results by name. */
export async function barsOf(title, panels, how) {
  return drawn(bars(title, panels, how))
}

async function drawn(chart) {
  const { spec } = compile({ ...chart, background: light.page, padding: 12, config })
  const svg = await new View(parse(spec), { renderer: 'none' }).toSVG()
  return `${svg.replace(/(<svg[^>]*>)/, `$1${style()}`)}\n`
}

/** On a dark page every colour becomes another one. */
function style() {
  const rules = Object.keys(light).flatMap((name) =>
    ['fill', 'stroke'].map((property) => `[${property}="${light[name]}"]{${property}:${dark[name]}}`),
  )
  return `<style>@media (prefers-color-scheme: dark){${rules.join('')}}</style>`
}

const config = {
  aria: false,
  font: 'system-ui, sans-serif',
  title: { color: light.text, anchor: 'start', fontSize: 14, offset: 12 },
  axis: {
    labelColor: light.text,
    titleColor: light.text,
    titleFontWeight: 'normal',
    gridColor: light.grid,
    tickColor: light.grid,
    domain: false,
    labelLimit: 260,
  },
  legend: { labelColor: light.text, titleColor: light.text },
  view: { stroke: null },
}

/** A bar for each way, and a panel for each shape. */
function speeds({ title, shapes }) {
  return bars(title, shapes, {
    unit: 'MB/s (more is better)',
    figureOf: (result) => (isTimed(result) ? result.bytes / 1e6 / (result.ms / 1000) : undefined),
  })
}

/** The peak of each way. */
function memories({ title, shapes }) {
  return bars(title, shapes, {
    unit: 'peak MiB',
    figureOf: ({ maxRss }) => (maxRss === undefined ? undefined : maxRss / MiB),
    isAllOurs: true,
  })
}

function bars(title, shapes, { unit, figureOf, isAllOurs = false, columns }) {
  const panels = Object.entries(shapes).map(([shape, results], i) => {
    const ways = Object.keys(results)
    const values = ways.flatMap((way) => {
      const value = figureOf(results[way])
      if (value === undefined) return []
      const label = Number(value.toPrecision(3)).toLocaleString('en-US')
      return [{ way, value, label, side: isAllOurs || way.startsWith('hosepipe') ? 'ours' : 'others' }]
    })
    // Panels with the same ways share the names of the first.
    const isOther = i > 0 && ways.join() !== Object.keys(Object.values(shapes)[0]).join()
    const labels = i === 0 || isOther ? { ticks: false, labelPadding: 8 } : null
    // Room for the figure behind the longest bar.
    const domain = [0, Math.max(...values.map(({ value }) => value)) * 1.25]
    return {
      title: { text: shape, fontSize: 12, anchor: 'middle' },
      data: { values },
      width: panelWidth,
      height: { step: barHeight },
      encoding: {
        y: { field: 'way', type: 'nominal', sort: ways, scale: { domain: ways }, title: null, axis: labels },
        x: { field: 'value', type: 'quantitative', title: unit, axis: { tickCount: 4 }, scale: { domain } },
      },
      layer: [
        { mark: { type: 'bar', height: 12 }, encoding: { color: { field: 'side', scale: sides, legend: null } } },
        { mark: { type: 'text', align: 'left', dx: 4, color: light.text }, encoding: { text: { field: 'label' } } },
      ],
    }
  })
  return columns === undefined
    ? { title: nameOf(title), hconcat: panels }
    : { title: nameOf(title), concat: panels, columns }
}

/** Time and memory over the number of keys, a line for each shape. */
function keyLines({ title, shapes }) {
  const values = timed(shapes).flatMap(({ shape, way, ms, records, maxRss }) => {
    const [, count] = /^([\d,]+) keys?$/.exec(way) ?? []
    if (count === undefined) return []
    const keys = Number(count.replaceAll(',', ''))
    return [{ shape, keys, time: (ms * 1e6) / records, memory: maxRss / MiB }]
  })
  const x = {
    field: 'keys',
    type: 'quantitative',
    title: 'keys',
    scale: { type: 'log' },
    axis: { values: [1, 10, 500, 5_000, 100_000], format: ',' },
  }
  const colour = {
    field: 'shape',
    type: 'nominal',
    title: null,
    scale: { range: [light.ours, light.others] },
    sort: Object.keys(shapes),
  }
  const lines = (field, name) => ({
    width: 300,
    height: 180,
    mark: { type: 'line', point: true },
    encoding: { x, y: { field, type: 'quantitative', title: name }, color: colour },
  })
  return {
    title: nameOf(title),
    data: { values },
    hconcat: [lines('time', 'ns a record'), lines('memory', 'peak MiB')],
  }
}

/** A title up to its colon. */
function nameOf(title) {
  return title.split(':')[0]
}

function timed(shapes) {
  return Object.entries(shapes).flatMap(([shape, ways]) =>
    Object.entries(ways)
      .filter(([, result]) => isTimed(result))
      .map(([way, result]) => ({ shape, way, ...result })),
  )
}
