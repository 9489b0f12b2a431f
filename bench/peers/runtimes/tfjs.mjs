/*
 * TensorFlow.js: variables and `optimizer.minimize`, and every tensor of a step is disposed of.
 */
import * as tf from "@tensorflow/tfjs-core";
import { networks } from "../networks.mjs";
import { readyBatches } from "./batches.mjs";
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
    // Its flag WASM_HAS_MULTITHREAD_SUPPORT is always false in Node.
    threads: device === "wasm" ? 1 : undefined,
    adapter: () => (device === "webgpu" ? adapterName() : "WebAssembly"),
    trainer: openTrainer,
    product: openProduct,
  };
}

/** @type {Record<import("../networks.mjs").NetworkName, (parameters: tf.Variable[], features: tf.Tensor) => tf.Tensor>} */
const logits = {
  dense([hiddenWeights, hiddenBiases, outputWeights, outputBiases], features) {
    const hidden = tf.relu(tf.add(tf.matMul(features, hiddenWeights), hiddenBiases));
    return tf.add(tf.matMul(hidden, outputWeights), outputBiases);
  },
  convolutional(parameters, features) {
    let images = tf.reshape(features, [-1, 28, 28, 1]);
    for (let layer = 0; layer < 4; layer++) {
      const [kernel, biases] = parameters.slice(2 * layer);
      images = tf.relu(tf.add(tf.conv2d(images, kernel, 1, "same"), biases));
      if (layer % 2 === 1) images = tf.maxPool(images, 2, 2, "valid");
    }
    const [weights, biases] = parameters.slice(8);
    return tf.add(tf.matMul(tf.reshape(images, [-1, 1568]), weights), biases);
  },
};

async function openTrainer(task) {
  const { shapes } = networks[task.network];
  const parameters = task.parameters.map((values, index) => tf.variable(tf.tensor(values, shapes[index])));
  const optimizer = tf.train.adam(1e-3, 0.9, 0.999, 1e-8);
  const batchAt = readyBatches(task, (features, classes) => ({
    features: tf.tensor2d(features, [task.batch, 784]),
    classes: tf.tensor2d(classes, [task.batch, 10]),
  }));
  let step = 0;

  function trainStep() {
    const { features, classes } = batchAt(step++);
    const loss = () => tf.losses.softmaxCrossEntropy(classes, logits[task.network](parameters, features));
    return optimizer.minimize(loss, true);
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
