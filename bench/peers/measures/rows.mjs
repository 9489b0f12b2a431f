/*
 * The rows of the table: each shows one number of one measure, with wgrad's goal.
 */

/**
 * @typedef {object} Row
 * @property {string} label
 * @property {string} measure the measure of the child process
 * @property {string} key the name of the number in the measure's result
 * @property {boolean} [higher] whether more is better
 * @property {number} [atMost] wgrad's goal as a number
 * @property {number} [times] wgrad's goal as a multiple of the better peer on WebGPU
 * @property {number} [floor] an acceptable multiple
 */

/** @type {readonly Row[]} */
export const rows = [
  { label: "dispatches, a step", measure: "calls", key: "dispatches", atMost: 7 },
  { label: "compute passes, 20 steps", measure: "calls", key: "passes", atMost: 1 },
  { label: "submits, 20 steps", measure: "calls", key: "submits", atMost: 1 },
  { label: "bind groups made, a step", measure: "calls", key: "bindGroups", atMost: 0 },
  { label: "buffers made, a step", measure: "calls", key: "buffers", atMost: 0 },
  { label: "images/s, batch 64", measure: "batch64", key: "imagesPerSecond", higher: true, times: 5, floor: 4 },
  { label: "images/s, batch 512", measure: "batch512", key: "imagesPerSecond", higher: true, times: 3 },
  { label: "a step, batch 1, ms", measure: "batch1", key: "step", atMost: 3 },
  { label: "an epoch, batch 64, s", measure: "epoch", key: "epoch", atMost: 9 },
  { label: "64x784 by 784x128, GFLOP/s", measure: "products", key: "64x784x128", higher: true, times: 2.5 },
  { label: "512 cubed, GFLOP/s", measure: "products", key: "512x512x512", higher: true, times: 2 },
  { label: "1024 cubed, GFLOP/s", measure: "products", key: "1024x1024x1024", higher: true, times: 2 },
  { label: "start to first step, s", measure: "start", key: "seconds", atMost: 0.6 },
  { label: "start, no shader cache, s", measure: "coldStart", key: "seconds", atMost: 2.5 },
];

export const allMeasures = [...new Set(rows.map(({ measure }) => measure))];

/** Whether a measure applies to a runtime: WebAssembly makes no WebGPU calls and has no shaders. */
export const applies = (measure, { device }) => device === "webgpu" || !["calls", "coldStart"].includes(measure);
