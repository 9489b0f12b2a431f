/*
 * wgrad as in its documentation: `createTrainer` and `fit`, from the checkout's dist/.
 */
import { existsSync } from "node:fs";

const built = new URL("../../../dist/index.js", import.meta.url);
if (!existsSync(built)) throw new Error(`wgrad: ${built.pathname} is missing; run \`npm run build\` in wgrad's folder`);
export const wgrad = await import("../../../dist/index.js");
export const wgradNode = await import("../../../dist/node.js");
const { createTrainer, defineGraph, dense, input, matmul, sequential } = wgrad;

/** @returns {Promise<import("./index.mjs").Runtime>} */
export async function open() {
  const backend = await wgradNode.createNodeBackend({ device: "webgpu" });
  return {
    adapter: () => backend.adapter.name,
    trainer: (task) => openTrainer(backend, task),
    product: (task) => openProduct(backend, task),
  };
}

/** Creates the trainer, for both the WebGPU backend and the CPU reference. */
export async function openTrainer(backend, { batch, count, features, labels, scale, offset, parameters }) {
  const [hiddenWeights, hiddenBiases, outputWeights, outputBiases] = parameters.map((values) => () => values);
  const hidden = dense(128, { activation: "relu", weights: hiddenWeights, biases: hiddenBiases });
  const output = dense(10, { weights: outputWeights, biases: outputBiases });
  const classes = Array.from({ length: 10 }, (_, digit) => String(digit));
  const trainer = await createTrainer({
    model: sequential([hidden, output], { inputShape: [784] }),
    dataset: { name: "the work's examples", features, shape: [784], labels, classes, count },
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
