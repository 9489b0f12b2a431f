/*
 * jax-js: the whole step (loss, gradients, Adam) in one `jit`, the fastest way that was found. Passing an array to a
 * function consumes a reference; `.ref` adds one.
 */
import { defaultDevice, init, jit, lax, nn, numpy as np, valueAndGrad } from "@jax-js/jax";
import { networkNamed, withChannelsFirst } from "../networks.mjs";
import { readyBatches } from "./batches.mjs";
import { adapterName, provideWebGPU } from "./dawn.mjs";

const [RATE, BETA1, BETA2, EPSILON] = [1e-3, 0.9, 0.999, 1e-8];

/** @returns {Promise<import("./index.mjs").Runtime>} */
export async function open(device) {
  if (device === "webgpu") provideWebGPU();
  if (!(await init(device)).includes(device)) throw new Error(`jax-js: the device ${device} does not start here`);
  defaultDevice(device);
  return {
    // It starts threads by the global Worker, which Node does not have.
    threads: device === "wasm" ? 1 : undefined,
    adapter: () => (device === "webgpu" ? adapterName() : "WebAssembly"),
    trainer: openTrainer,
    product: openProduct,
  };
}

/** Biases are broadcast along the last axis. */
function denseLogits(parameters, features) {
  let values = features;
  for (let index = 0; index < parameters.length; index += 2) {
    const sums = np.matmul(values, parameters[index]).add(parameters[index + 1]);
    values = index + 2 < parameters.length ? nn.relu(sums) : sums;
  }
  return values;
}

/** Images are [batch, channels, height, width]. */
function convolutionalLogits(parameters, features) {
  const size = Math.sqrt(features.shape[1]);
  let images = features.reshape([-1, 1, size, size]);
  for (let layer = 0; layer < 4; layer++) {
    const [kernel, biases] = parameters.slice(2 * layer);
    const convolved = lax.convGeneralDilated(images, kernel, [1, 1], "SAME");
    images = nn.relu(convolved.add(biases.reshape([-1, 1, 1])));
    if (layer % 2 === 1) images = lax.reduceWindow(images, (window) => np.max(window), [2, 2], [2, 2]);
  }
  const [weights, biases] = parameters.slice(8);
  return np.matmul(images.reshape([-1, weights.shape[0]]), weights).add(biases);
}

const meanLossOf = (logits) => (parameters, features, classes) => {
  const batch = features.shape[0];
  return nn
    .logSoftmax(logits(parameters, features))
    .mul(classes)
    .sum()
    .mul(-1 / batch);
};

/** @param corrections [2], 1 / (1 − β₁ᵗ) and 1 / (1 − β₂ᵗ) at step t */
export const trainStepOf = (meanLoss) =>
  jit((parameters, means, squares, features, classes, corrections) => {
    const kept = parameters.map((parameter) => parameter.ref);
    const [loss, gradients] = valueAndGrad(meanLoss)(kept, features, classes);
    const meanCorrection = corrections.ref.slice(0);
    const squareCorrection = corrections.slice(1);
    const newMeans = means.map((mean, index) => mean.mul(BETA1).add(gradients[index].ref.mul(1 - BETA1)));
    const newSquares = squares.map((square, index) =>
      square.mul(BETA2).add(np.square(gradients[index]).mul(1 - BETA2)),
    );
    const newParameters = parameters.map((parameter, index) => {
      const root = np.sqrt(newSquares[index].ref.mul(squareCorrection.ref));
      const direction = newMeans[index].ref.mul(meanCorrection.ref).div(root.add(EPSILON));
      return parameter.sub(direction.mul(RATE));
    });
    meanCorrection.dispose();
    squareCorrection.dispose();
    return [loss, newParameters, newMeans, newSquares];
  });

const trainSteps = {
  dense: trainStepOf(meanLossOf(denseLogits)),
  convolutional: trainStepOf(meanLossOf(convolutionalLogits)),
};

async function openTrainer(task) {
  const network = networkNamed(task.network);
  const trainStep = trainSteps[network.kind];
  const batchAt = readyBatches(task, (features, classes) => ({
    features: np.array(features, { shape: [task.batch, network.size ** 2] }),
    classes: np.array(classes, { shape: [task.batch, 10] }),
  }));
  return trainerOf({ trainStep, given: withChannelsFirst(task.parameters, network), batchAt });
}

/**
 * @param {object} parts
 * @param {ReturnType<typeof trainStepOf>} parts.trainStep
 * @param {readonly { values: Float32Array, shape: readonly number[] }[]} parts.given the initial parameters
 * @param {(step: number) => { features: object, classes: object }} parts.batchAt the batch of a step, counted from 0
 * @returns {import("./index.mjs").Trainer}
 */
export function trainerOf({ trainStep, given, batchAt }) {
  let parameters = given.map(({ values, shape }) => np.array(values, { shape }));
  let means = given.map(({ shape }) => np.zeros(shape));
  let squares = given.map(({ shape }) => np.zeros(shape));
  let step = 0;

  function nextLoss() {
    const { features, classes } = batchAt(step++);
    const corrections = np.array(Float32Array.of(1 / (1 - BETA1 ** step), 1 / (1 - BETA2 ** step)));
    let loss;
    [loss, parameters, means, squares] = trainStep(parameters, means, squares, features.ref, classes.ref, corrections);
    return loss;
  }

  return {
    async run(steps, every, onRead) {
      const losses = [];
      for (let done = 1; done <= steps; done++) {
        const loss = nextLoss();
        if (done % every === 0 || done === steps) {
          losses.push((await loss.data())[0]);
          onRead?.(done);
        } else {
          loss.dispose();
        }
      }
      return losses;
    },
  };
}

async function openProduct({ rows, inner, columns, left, right }) {
  const leftArray = np.array(left, { shape: [rows, inner] });
  const rightArray = np.array(right, { shape: [inner, columns] });
  const multiply = () => np.matmul(leftArray.ref, rightArray.ref);
  return async (times) => {
    // A result that is not awaited is never computed.
    const unread = Array.from({ length: times - 1 }, multiply);
    const last = multiply();
    await Promise.all(unread.map((product) => product.blockUntilReady()));
    unread.forEach((product) => product.dispose());
    return last.data();
  };
}
