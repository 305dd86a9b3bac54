/** The folder of vega-datasets; its main file is in a folder below. */
const datasets = new URL('..', import.meta.resolve('vega-datasets'))

/** A file of the npm package vega-datasets, which has real data. */
export const dataOf = (name: string): URL => new URL(`data/${name}`, datasets)
