/*
 * wgrad as in its documentation: `createTrainer` and `fit`, from the checkout's dist/.
 */
import { existsSync } from "node:fs";
import { networkNamed } from "../networks.mjs";

const built = new URL("../../../dist/index.js", import.meta.url);
if (!existsSync(built)) throw new Error(`wgrad: ${built.pathname} is missing; run \`npm run build\` in wgrad's folder`);
export const wgrad = await import("../../../dist/index.js");
export const wgradNode = await import("../../../dist/node.js");
const { conv2d, createTrainer, defineGraph, dense, input, matmul, maxPool2d, relu, reshape, sequential } = wgrad;

/** @returns {Promise<import("./index.mjs").Runtime>} */
export async function open(device, threads) {
  const backend =
    device === "cpu"
      ? wgrad.createCpuBackend({ precision: "float64" })
      : await wgradNode.createNodeBackend({ device, threads, backgroundTuning: false });
  return {
    adapter: () => backend.adapter.name,
    backend,
    threads,
    trainer: (task) => openTrainer(backend, task),
    product: (task) => openProduct(backend, task),
  };
}

/** A 3×3 convolution with relu, which keeps the size of the images. */
const convolution = (filters, kernel, biases) => ({
  config: { type: "convolution", filters },
  build({ inputShape: [height, width, channels], parameter }) {
    const fans = { fanIn: 9 * channels, fanOut: 9 * filters };
    const weight = parameter("weight", [3, 3, channels, filters], kernel, fans);
    const bias = parameter("bias", [filters], biases, fans);
    const apply = (images) => relu(conv2d(images, weight, { padding: "same", bias }));
    return { outputShape: [height, width, filters], apply };
  },
});

const halving = {
  config: { type: "halving" },
  build: ({ inputShape: [height, width, channels] }) => ({
    outputShape: [height / 2, width / 2, channels],
    apply: (images) => maxPool2d(images, 2),
  }),
};

const flattening = {
  config: { type: "flattening" },
  build({ inputShape }) {
    const size = inputShape.reduce((all, one) => all * one, 1);
    return { outputShape: [size], apply: (images) => reshape(images, [-1, size]) };
  },
};

/** @type {Record<string, (initializers: (() => Float32Array)[], network: import("../networks.mjs").Network) => object>} */
const models = {
  dense(given, { shapes }) {
    const layers = shapes.flatMap(([units, ...rest], index) => {
      if (rest.length > 0) return [];
      const isLast = index === shapes.length - 1;
      return [
        dense(units, { ...(!isLast && { activation: "relu" }), weights: given[index - 1], biases: given[index] }),
      ];
    });
    return sequential(layers, { inputShape: [784] });
  },
  convolutional(given, { size }) {
    const convolutions = [16, 16, 32, 32].map((filters, layer) => convolution(filters, ...given.slice(2 * layer)));
    const [first, second, third, fourth] = convolutions;
    const [weights, biases] = given.slice(8);
    const layers = [first, second, halving, third, fourth, halving, flattening, dense(10, { weights, biases })];
    return sequential(layers, { inputShape: [size, size, 1] });
  },
};

/** Creates the trainer, for the backends to compare and the CPU reference. */
export async function openTrainer(backend, { network, batch, count, features, labels, scale, offset, parameters }) {
  const described = networkNamed(network);
  const model = models[described.kind](
    parameters.map((values) => () => values),
    described,
  );
  const classes = Array.from({ length: 10 }, (_, digit) => String(digit));
  const trainer = await createTrainer({
    model,
    dataset: { name: "the work's examples", features, shape: model.inputShape, labels, classes, count },
    normalization: { scale, offset },
    backend,
    learningRate: 1e-3,
    batchSize: batch,
    epochs: 1_000_000,
  });
  return {
    async run(steps, every, onRead) {
      const first = trainer.step;
      const losses = [];
      for await (const { step, loss } of trainer.fit({ every, maxSteps: steps })) {
        losses.push(loss);
        onRead?.(step - first);
      }
      return losses;
    },
  };
}

async function openProduct(backend, { rows, inner, columns, left, right }) {
  const session = backend.createSession();
  const leftInput = input("left", [rows, inner]);
  const rightInput = input("right", [inner, columns]);
  const executable = await session.compile(defineGraph({ product: matmul(leftInput, rightInput) }));
  session.write(leftInput, left);
  session.write(rightInput, right);
  return async (times) => {
    const [, product] = await Promise.all([executable.run(0, times), executable.read("product")]);
    return product;
  };
}
