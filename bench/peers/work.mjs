/*
 * The work of every runtime: the examples, their order, the initial parameters, and the losses of the first steps by wgrad's
 * CPU reference. The parent process writes it to a folder; each child process reads it.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/**
 * How many steps are compared with the reference, by batch size. After 20 steps rounding errors have grown to 1e-5; soon
 * after, they push a hidden unit over relu's kink for one example, which Adam amplifies to 1e-3.
 */
export const checkedSteps = { 1: 20, 64: 20, 512: 10 };

const PARAMETER_SIZES = [784 * 128, 128, 128 * 10, 10];

/** The default seed of a trainer. */
const SEED = 1;

/** @returns {() => number} numbers in [−1, 1), the same for the same seed (Numerical Recipes' quick generator) */
export function generator(seed) {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 31 - 1;
  };
}

/** @returns {Float32Array} */
export const drawn = (count, draw, scale = 1) => Float32Array.from({ length: count }, () => scale * draw());

/** He uniform weights and zero biases, as consecutive arrays. */
function initialParameters(draw) {
  const scales = [Math.sqrt(6 / 784), 0, Math.sqrt(6 / 128), 0];
  return PARAMETER_SIZES.map((size, index) => drawn(size, draw, scales[index]));
}

/**
 * A small task without files, to measure the time to the first step. It has one batch, whose order does not matter.
 * @returns {import("./runtimes/index.mjs").TrainingTask}
 */
export function generatedTask() {
  const draw = generator(3);
  const count = 64;
  return {
    batch: count,
    count,
    features: Uint8Array.from({ length: count * 784 }, () => 128 + 127 * draw()),
    labels: Uint32Array.from({ length: count }, (_, example) => example % 10),
    scale: 1 / 128,
    offset: -1,
    order: Uint32Array.from({ length: count }, (_, position) => position),
    parameters: initialParameters(draw),
  };
}

/** The losses of a task's first steps by wgrad's CPU reference in float64, with which all runtimes are compared. */
async function referenceLosses(task, steps) {
  const { openTrainer, wgrad } = await import("./runtimes/wgrad.mjs");
  const trainer = await openTrainer(wgrad.createCpuBackend({ precision: "float64" }), task);
  return trainer.run(steps, 1);
}

/**
 * Writes the work to a temporary folder.
 * @returns {Promise<{ folder: string, source: string, expectedFirst: number, remove: () => void }>} `source` names the
 *   examples, `expectedFirst` is the first loss of `generatedTask`
 */
export async function writeWork() {
  const { wgrad, wgradNode } = await import("./runtimes/wgrad.mjs");
  const { train, source } = await wgradNode.loadMnist();
  const task = {
    count: train.count,
    features: train.features,
    labels: train.labels,
    ...wgrad.standardization(train.features),
    order: wgrad.epochOrder(train.count, SEED, 0),
    parameters: initialParameters(generator(2)),
  };
  const expected = {};
  for (const [batch, steps] of Object.entries(checkedSteps)) {
    expected[batch] = await referenceLosses({ ...task, batch: Number(batch) }, steps);
  }
  const [expectedFirst] = await referenceLosses(generatedTask(), 1);
  const folder = mkdtempSync(join(tmpdir(), "wgrad-peers-"));
  const { count, scale, offset } = task;
  writeFileSync(join(folder, "work.json"), JSON.stringify({ count, scale, offset, expected }));
  writeFileSync(join(folder, "features"), task.features);
  writeFileSync(join(folder, "labels"), task.labels);
  writeFileSync(join(folder, "order"), task.order);
  task.parameters.forEach((values, index) => writeFileSync(join(folder, `parameter${index}`), values));
  return { folder, source, expectedFirst, remove: () => rmSync(folder, { recursive: true }) };
}

/** @returns {{ task: Omit<import("./runtimes/index.mjs").TrainingTask, "batch">, expected: Record<string, number[]> }} */
export function readWork(folder) {
  // A copy, because Node may place a small file inside a larger buffer.
  const bytes = (name) => new Uint8Array(readFileSync(join(folder, name))).buffer;
  const { expected, count, scale, offset } = JSON.parse(readFileSync(join(folder, "work.json"), "utf8"));
  const task = {
    count,
    scale,
    offset,
    features: new Uint8Array(bytes("features")),
    labels: new Uint32Array(bytes("labels")),
    order: new Uint32Array(bytes("order")),
    parameters: PARAMETER_SIZES.map((_, index) => new Float32Array(bytes(`parameter${index}`))),
  };
  return { task, expected };
}
