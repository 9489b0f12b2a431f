/*
 * TensorFlow.js: variables and `optimizer.minimize`, a new tensor per batch, and every tensor of a step is disposed of.
 */
import * as tf from "@tensorflow/tfjs-core";
import { batchMaker } from "./batches.mjs";
import { adapterName, provideWebGPU } from "./dawn.mjs";

// The core package has no gradients; this package registers them.
await import("@tensorflow/tfjs-layers");

/** @returns {Promise<import("./index.mjs").Runtime>} */
export async function open(device) {
  if (device === "webgpu") {
    provideWebGPU();
    await import("@tensorflow/tfjs-backend-webgpu");
  } else {
    await import("@tensorflow/tfjs-backend-wasm");
  }
  if (!(await tf.setBackend(device))) throw new Error(`tfjs: the backend ${device} does not start here`);
  return {
    adapter: () => (device === "webgpu" ? adapterName() : "WebAssembly"),
    trainer: openTrainer,
    product: openProduct,
  };
}

async function openTrainer(task) {
  const shapes = [[784, 128], [128], [128, 10], [10]];
  const [hiddenWeights, hiddenBiases, outputWeights, outputBiases] = task.parameters.map((values, index) =>
    tf.variable(tf.tensor(values, shapes[index])),
  );
  const optimizer = tf.train.adam(1e-3, 0.9, 0.999, 1e-8);
  const batchAt = batchMaker(task);
  let step = 0;

  function trainStep() {
    const batch = batchAt(step++);
    const features = tf.tensor2d(batch.features, [task.batch, 784]);
    const classes = tf.tensor2d(batch.classes, [task.batch, 10]);
    const loss = optimizer.minimize(() => {
      const hidden = tf.relu(tf.add(tf.matMul(features, hiddenWeights), hiddenBiases));
      const logits = tf.add(tf.matMul(hidden, outputWeights), outputBiases);
      return tf.losses.softmaxCrossEntropy(classes, logits);
    }, true);
    tf.dispose([features, classes]);
    return loss;
  }

  return {
    async run(steps, every, onRead) {
      const losses = [];
      for (let done = 1; done <= steps; done++) {
        const loss = trainStep();
        if (done % every === 0 || done === steps) {
          losses.push((await loss.data())[0]);
          onRead?.(done);
        }
        loss.dispose();
      }
      return losses;
    },
  };
}

async function openProduct({ rows, inner, columns, left, right }) {
  const leftTensor = tf.tensor2d(left, [rows, inner]);
  const rightTensor = tf.tensor2d(right, [inner, columns]);
  return async (times) => {
    for (let time = 1; time < times; time++) tf.matMul(leftTensor, rightTensor).dispose();
    const product = tf.matMul(leftTensor, rightTensor);
    const values = await product.data();
    product.dispose();
    return values;
  };
}
