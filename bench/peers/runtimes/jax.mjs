/*
 * jax-js: the whole step (loss, gradients, Adam) in one `jit`, the fastest way that was found. Passing an array to a
 * function consumes a reference; `.ref` adds one.
 */
import { defaultDevice, init, jit, nn, numpy as np, valueAndGrad } from "@jax-js/jax";
import { batchMaker } from "./batches.mjs";
import { adapterName, provideWebGPU } from "./dawn.mjs";

const [RATE, BETA1, BETA2, EPSILON] = [1e-3, 0.9, 0.999, 1e-8];

/** @returns {Promise<import("./index.mjs").Runtime>} */
export async function open(device) {
  if (device === "webgpu") provideWebGPU();
  if (!(await init(device)).includes(device)) throw new Error(`jax-js: the device ${device} does not start here`);
  defaultDevice(device);
  return {
    adapter: () => (device === "webgpu" ? adapterName() : "WebAssembly"),
    trainer: openTrainer,
    product: openProduct,
  };
}

function meanLoss([hiddenWeights, hiddenBiases, outputWeights, outputBiases], features, classes) {
  const batch = features.shape[0];
  const hidden = nn.relu(np.matmul(features, hiddenWeights).add(hiddenBiases));
  const logits = np.matmul(hidden, outputWeights).add(outputBiases);
  return nn
    .logSoftmax(logits)
    .mul(classes)
    .sum()
    .mul(-1 / batch);
}

/** @param corrections [2], 1 / (1 − β₁ᵗ) and 1 / (1 − β₂ᵗ) at step t */
const trainStep = jit((parameters, means, squares, features, classes, corrections) => {
  const kept = parameters.map((parameter) => parameter.ref);
  const [loss, gradients] = valueAndGrad(meanLoss)(kept, features, classes);
  const meanCorrection = corrections.ref.slice(0);
  const squareCorrection = corrections.slice(1);
  const newMeans = means.map((mean, index) => mean.mul(BETA1).add(gradients[index].ref.mul(1 - BETA1)));
  const newSquares = squares.map((square, index) => square.mul(BETA2).add(np.square(gradients[index]).mul(1 - BETA2)));
  const newParameters = parameters.map((parameter, index) => {
    const root = np.sqrt(newSquares[index].ref.mul(squareCorrection.ref));
    const direction = newMeans[index].ref.mul(meanCorrection.ref).div(root.add(EPSILON));
    return parameter.sub(direction.mul(RATE));
  });
  meanCorrection.dispose();
  squareCorrection.dispose();
  return [loss, newParameters, newMeans, newSquares];
});

async function openTrainer(task) {
  const shapes = [[784, 128], [128], [128, 10], [10]];
  let parameters = task.parameters.map((values, index) => np.array(values, { shape: shapes[index] }));
  let means = shapes.map((shape) => np.zeros(shape));
  let squares = shapes.map((shape) => np.zeros(shape));
  const batchAt = batchMaker(task);
  let step = 0;

  function nextLoss() {
    const batch = batchAt(step++);
    const features = np.array(batch.features, { shape: [task.batch, 784] });
    const classes = np.array(batch.classes, { shape: [task.batch, 10] });
    const corrections = np.array(Float32Array.of(1 / (1 - BETA1 ** step), 1 / (1 - BETA2 ** step)));
    let loss;
    [loss, parameters, means, squares] = trainStep(parameters, means, squares, features, classes, corrections);
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
