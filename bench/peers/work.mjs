/*
 * The work of every runtime: the examples, their order, the initial parameters, and the losses of the first steps by wgrad's
 * CPU reference. The parent process writes it to a folder; each child process reads it.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { initialParameters, networks } from "./networks.mjs";
import { drawn, generator } from "./random.mjs";

/** The default seed of a trainer. */
const SEED = 1;

/**
 * A small task of the dense network without files, to measure the time to the first step. It has one batch, whose order
 * does not matter.
 * @returns {import("./runtimes/index.mjs").TrainingTask}
 */
export function generatedTask() {
  const draw = generator(3);
  const count = 64;
  return {
    network: "dense",
    batch: count,
    count,
    features: new Uint8Array(drawn(count * 784, () => 128 + 127 * draw())),
    labels: Uint32Array.from({ length: count }, (_, example) => example % 10),
    scale: 1 / 128,
    offset: -1,
    order: Uint32Array.from({ length: count }, (_, position) => position),
    parameters: initialParameters("dense", draw),
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
 * @param {readonly import("./networks.mjs").NetworkName[]} trained the networks that are to be trained
 * @returns {Promise<{ folder: string, source: string, expectedFirst: number, remove: () => void }>} `source` names the
 *   examples, `expectedFirst` is the first loss of `generatedTask`
 */
export async function writeWork(trained) {
  const { wgrad, wgradNode } = await import("./runtimes/wgrad.mjs");
  const { train, source } = await wgradNode.loadMnist();
  const data = {
    count: train.count,
    features: train.features,
    labels: train.labels,
    ...wgrad.standardization(train.features),
    order: wgrad.epochOrder(train.count, SEED, 0),
  };
  const folder = mkdtempSync(join(tmpdir(), "wgrad-peers-"));
  const expected = {};
  for (const network of trained) {
    const parameters = initialParameters(network, generator(2));
    parameters.forEach((values, index) => writeFileSync(join(folder, `${network}${index}`), values));
    expected[network] = {};
    for (const [batch, steps] of Object.entries(networks[network].checkedSteps)) {
      const task = { ...data, network, parameters, batch: Number(batch) };
      expected[network][batch] = await referenceLosses(task, steps);
    }
  }
  const [expectedFirst] = await referenceLosses(generatedTask(), 1);
  const { count, scale, offset } = data;
  writeFileSync(join(folder, "work.json"), JSON.stringify({ count, scale, offset, expected }));
  writeFileSync(join(folder, "features"), data.features);
  writeFileSync(join(folder, "labels"), data.labels);
  writeFileSync(join(folder, "order"), data.order);
  return { folder, source, expectedFirst, remove: () => rmSync(folder, { recursive: true }) };
}

/**
 * @param {string} folder
 * @param {import("./networks.mjs").NetworkName} network
 * @returns {{ task: Omit<import("./runtimes/index.mjs").TrainingTask, "batch">, expected: Record<string, number[]> }}
 *   `expected` are the losses of the first steps by batch size
 */
export function readWork(folder, network) {
  // A copy, because Node may place a small file inside a larger buffer.
  const bytes = (name) => new Uint8Array(readFileSync(join(folder, name))).buffer;
  const { expected, count, scale, offset } = JSON.parse(readFileSync(join(folder, "work.json"), "utf8"));
  const task = {
    network,
    count,
    scale,
    offset,
    features: new Uint8Array(bytes("features")),
    labels: new Uint32Array(bytes("labels")),
    order: new Uint32Array(bytes("order")),
    parameters: networks[network].shapes.map((_, index) => new Float32Array(bytes(`${network}${index}`))),
  };
  return { task, expected: expected[network] };
}
