/*
 * The comparison's GPT with wgrad: `createTrainer` with a stream of batches, and `createTextGenerator`.
 */
import { wgrad } from "../runtimes/wgrad.mjs";

const { createTextGenerator, createTrainer, makeStream, softmaxCrossEntropy } = wgrad;

/** @returns {Promise<import("../runtimes/index.mjs").Trainer & { session: object }>} */
export async function openTrainer(backend, { sizes, model, batchAt }) {
  const column = { shape: [sizes.context], dtype: "uint32" };
  const dataset = makeStream({
    name: "windows",
    tensors: { tokens: column, targets: column },
    *batches(fromStep) {
      for (let step = fromStep; ; step++) yield batchAt(step);
    },
    stepsPerEpoch: 1000,
  });
  const trainer = await createTrainer({
    ...{ model, backend, dataset, batchSize: sizes.batch, learningRate: 1e-3, epochs: 1_000 },
    loss: ({ logits }, { targets }) => softmaxCrossEntropy(logits, targets),
  });
  return {
    session: trainer.session,
    async run(steps, every) {
      const losses = [];
      for await (const { loss } of trainer.fit({ every, maxSteps: steps })) losses.push(loss);
      return losses;
    },
  };
}

/** Milliseconds of the first tokens, which fit into the context with the prompt, and of all, by the wall clock. */
export async function timeGeneration(session, { sizes, model, tokenizer }, tokens) {
  const text = await createTextGenerator({ model, session, tokenizer });
  let fitting = 0;
  let all = 0;
  for (let time = 0; time < 2; time++) {
    const started = performance.now();
    let count = 0;
    for await (const _ of text.generate({ prompt: "\n", tokens, temperature: 1, seed: 1 })) {
      if (++count === sizes.context - 1) fitting = performance.now() - started;
    }
    all = performance.now() - started;
  }
  return { fitting: (1000 * (sizes.context - 1)) / fitting, all: (1000 * tokens) / all };
}
