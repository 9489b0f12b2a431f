/*
 * The runtimes that are compared. Each runs in a separate process, which alone loads its module.
 */

/**
 * One training job: softmax cross-entropy, Adam (1e-3, 0.9, 0.999, 1e-8), float32.
 * @typedef {object} TrainingTask
 * @property {import("../networks.mjs").NetworkName} network
 * @property {number} batch examples per step
 * @property {number} count number of examples
 * @property {Uint8Array} features `count` rows of 784 bytes; the network's input is byte · scale + offset
 * @property {Uint32Array} labels
 * @property {number} scale
 * @property {number} offset
 * @property {Uint32Array} order step s takes examples order[s·batch] … order[(s+1)·batch − 1]
 * @property {Float32Array[]} parameters weights and biases in the shapes of the network
 */

/**
 * @typedef {object} Trainer
 * @property {(steps: number, every: number, onRead?: (stepsDone: number) => void) => Promise<number[]>} run
 *   runs the next steps, reads a loss back every `every` steps and at the last, and returns these losses; if `every` is 1,
 *   they are the losses of the single steps
 */

/**
 * @typedef {object} Runtime
 * @property {() => string | Promise<string>} adapter the name of the adapter
 * @property {object} [backend] that of wgrad
 * @property {number} [threads] the number of threads that compute; absent where the adapter's driver decides
 * @property {string} [version] the version of the library if no package.json says it
 * @property {(task: TrainingTask) => Promise<Trainer>} trainer
 * @property {(task: ProductTask) => Promise<(times: number) => Promise<Float32Array>>} product
 *   returns a function that computes the product `times` times and reads the last result back
 */

/**
 * left [rows, inner] · right [inner, columns]
 * @typedef {{ rows: number, inner: number, columns: number, left: Float32Array, right: Float32Array }} ProductTask
 */

/**
 * @typedef {object} RuntimeEntry
 * @property {string} name
 * @property {string} label
 * @property {"webgpu" | "wasm" | "cpu"} device
 * @property {number} [threads] the number of threads to ask for
 * @property {() => Promise<{ open: (device: string, threads?: number) => Promise<Runtime> }>} load
 */

const wgrad = () => import("./wgrad.mjs");
const tfjs = () => import("./tfjs.mjs");
const jax = () => import("./jax.mjs");
const pytorch = () => import("./pytorch.mjs");

/** @type {readonly RuntimeEntry[]} */
export const allRuntimes = [
  { name: "wgrad", label: "wgrad webgpu", device: "webgpu", load: wgrad },
  { name: "tfjs", label: "tfjs webgpu", device: "webgpu", load: tfjs },
  { name: "jax", label: "jax-js webgpu", device: "webgpu", load: jax },
  { name: "wgrad-wasm", label: "wgrad wasm", device: "wasm", threads: 2, load: wgrad },
  { name: "wgrad-wasm1", label: "wgrad wasm, 1 thread", device: "wasm", threads: 1, load: wgrad },
  { name: "tfjs-wasm", label: "tfjs wasm", device: "wasm", load: tfjs },
  { name: "jax-wasm", label: "jax-js wasm", device: "wasm", load: jax },
  { name: "pytorch", label: "PyTorch", device: "cpu", load: pytorch },
];

/** What the others are checked against; it is not compared. */
const reference = { name: "wgrad-reference", label: "wgrad CPU reference", device: "cpu", load: wgrad };

/** @param {string} name */
export function runtimeNamed(name) {
  const found = [...allRuntimes, reference].find((runtime) => runtime.name === name);
  if (!found)
    throw new Error(`there is no runtime "${name}"; choose one of ${allRuntimes.map((each) => each.name).join(", ")}`);
  return found;
}

/** @param {string} name */
export async function openRuntime(name) {
  const { load, device, threads } = runtimeNamed(name);
  const { open } = await load();
  return open(device, threads);
}
