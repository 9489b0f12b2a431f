/*
 * The rows of the table: each shows one number of one measure, with wgrad's goals.
 */

/**
 * @typedef {object} Goal
 * @property {"wgrad" | "wgrad-wasm"} of the runtime that has the goal
 * @property {number} [atMost] as a number
 * @property {number} [atLeast] as a number
 * @property {number} [times] as a multiple of the better one of `peers`
 * @property {readonly string[]} [peers] names of runtimes
 * @property {number} [floor] an acceptable multiple
 */

/**
 * @typedef {object} Row
 * @property {string} label
 * @property {string} measure the measure of the child process
 * @property {string} key the name of the number in the measure's result
 * @property {number} [per] the row shows the number multiplied by this
 * @property {boolean} [higher] whether more is better
 * @property {readonly Goal[]} goals
 */

/** On WebGPU wgrad is compared with the better of the two others. */
const peers = ["tfjs", "jax"];

const atMost = (of, number) => ({ of, atMost: number });
const times = (of, number, others, floor) => ({ of, times: number, peers: others, floor });
const fiftyOnWasm = { of: "wgrad-wasm", atLeast: 50 };

/** @type {readonly Row[]} */
export const rows = [
  { label: "dispatches, a step", measure: "calls", key: "dispatches", goals: [atMost("wgrad", 7)] },
  { label: "compute passes, 20 steps", measure: "calls", key: "passes", per: 20, goals: [atMost("wgrad", 1)] },
  { label: "submits, 20 steps", measure: "calls", key: "submits", per: 20, goals: [atMost("wgrad", 1)] },
  { label: "bind groups made, a step", measure: "calls", key: "bindGroups", goals: [atMost("wgrad", 0)] },
  { label: "buffers made, a step", measure: "calls", key: "buffers", goals: [atMost("wgrad", 0)] },
  {
    label: "images/s, batch 64",
    measure: "batch64",
    key: "imagesPerSecond",
    higher: true,
    goals: [times("wgrad", 5, peers, 4), times("wgrad-wasm", 2.5, ["jax-wasm"]), times("wgrad-wasm", 1, ["pytorch"])],
  },
  {
    label: "images/s, batch 512",
    measure: "batch512",
    key: "imagesPerSecond",
    higher: true,
    goals: [times("wgrad", 4, peers), times("wgrad-wasm", 0.7, ["pytorch"])],
  },
  {
    label: "a step, batch 1, ms",
    measure: "batch1",
    key: "step",
    goals: [atMost("wgrad", 3), atMost("wgrad-wasm", 0.15)],
  },
  { label: "an epoch, batch 64, s", measure: "epoch", key: "epoch", goals: [atMost("wgrad", 9)] },
  {
    label: "64x784 · 784x128, GFLOP/s",
    measure: "products",
    key: "64x784x128",
    higher: true,
    goals: [times("wgrad", 2.5, peers)],
  },
  {
    label: "512 cubed, GFLOP/s",
    measure: "products",
    key: "512x512x512",
    higher: true,
    goals: [times("wgrad", 2, peers), fiftyOnWasm],
  },
  {
    label: "1024 cubed, GFLOP/s",
    measure: "products",
    key: "1024x1024x1024",
    higher: true,
    goals: [times("wgrad", 2, peers), fiftyOnWasm],
  },
  {
    label: "start to first step, s",
    measure: "start",
    key: "seconds",
    goals: [atMost("wgrad", 0.6), atMost("wgrad-wasm", 0.15)],
  },
  { label: "start, no shader cache, s", measure: "coldStart", key: "seconds", goals: [atMost("wgrad", 2.5)] },
  {
    label: "conv: images/s, batch 64",
    measure: "conv",
    key: "imagesPerSecond",
    higher: true,
    goals: [times("wgrad", 3, peers), times("wgrad-wasm", 0.5, ["pytorch"])],
  },
  { label: "conv: dispatches, a step", measure: "convCalls", key: "dispatches", goals: [atMost("wgrad", 25)] },
  { label: "conv: submits, a step", measure: "convCalls", key: "submits", goals: [atMost("wgrad", 1)] },
  { label: "conv: buffers made, a step", measure: "convCalls", key: "buffers", goals: [atMost("wgrad", 0)] },
  { label: "conv: peak size of buffers, MB", measure: "convCalls", key: "megabytes", goals: [] },
];

export const allMeasures = [...new Set(rows.map(({ measure }) => measure))];

/** The network that a measure trains. */
export const networkOf = (measure) => (measure.startsWith("conv") ? "convolutional" : "dense");

/**
 * Whether a measure applies to a runtime: only WebGPU has calls to count and shaders to cache, and PyTorch's start would be
 * that of Python.
 */
export function applies(measure, { device }) {
  if (["calls", "coldStart", "convCalls"].includes(measure)) return device === "webgpu";
  return measure !== "start" || device !== "cpu";
}
