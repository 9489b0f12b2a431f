/*
 * The comparison's GPT with jax-js, written with its public functions: the whole step (loss, gradients, Adam) in one `jit`.
 * Passing an array to a function consumes a reference; `.ref` adds one.
 */
import { nn, numpy as np } from "@jax-js/jax";
import { trainerOf, trainStepOf } from "../runtimes/jax.mjs";

// jax-js uses iterator helpers in its attention, which Node 20 does not have.
const iterators = Object.getPrototypeOf(Object.getPrototypeOf([][Symbol.iterator]()));
iterators.map ??= function* map(change) {
  for (const value of this) yield change(value);
};
iterators.filter ??= function* filter(isKept) {
  for (const value of this) if (isKept(value)) yield value;
};

const normalized = (x, weight, bias) => nn.standardize(x, -1).mul(weight).add(bias);

/** x + attention(norm(x)), then x + output(gelu(hidden(norm(x)))). */
function block(x, parameters, { batch, context, heads, width }) {
  const [attentionScale, attentionShift, projection, merge, hiddenScale, hiddenShift, hidden, output] = parameters;
  const parts = np
    .matmul(normalized(x.ref, attentionScale, attentionShift), projection)
    .reshape([batch, context, 3, heads, width / heads]);
  const [q, k, v] = [0, 1, 2].map((part) => (part < 2 ? parts.ref : parts).slice([], [], part));
  const attended = nn.dotProductAttention(q, k, v, { isCausal: true }).reshape([batch, context, width]);
  const between = x.add(np.matmul(attended, merge));
  const units = nn.gelu(np.matmul(normalized(between.ref, hiddenScale, hiddenShift), hidden), { approximate: false });
  return between.add(np.matmul(units, output));
}

/** The mean loss. `tokens` and `targets` are one-hot, [batch, context, vocabulary]; the embedding is also the output matrix. */
const meanLossOf =
  (sizes) =>
  ([table, positions, ...parameters], tokens, targets) => {
    const { layers, batch, context } = sizes;
    let x = np.matmul(tokens, table.ref).add(positions);
    for (let layer = 0; layer < layers; layer++) x = block(x, parameters.slice(8 * layer, 8 * layer + 8), sizes);
    const [scale, shift] = parameters.slice(8 * layers);
    const logits = np.matmul(normalized(x, scale, shift), table.transpose());
    return nn
      .logSoftmax(logits)
      .mul(targets)
      .sum()
      .mul(-1 / (batch * context));
  };

/** @returns {import("../runtimes/index.mjs").Trainer} */
export function openTrainer({ sizes, model, tokenizer, batchAt }) {
  const vocabulary = tokenizer.vocabularySize;
  const oneHot = (tokens) => {
    const values = new Float32Array(tokens.length * vocabulary);
    tokens.forEach((token, index) => (values[index * vocabulary + token] = 1));
    return np.array(values, { shape: [sizes.batch, sizes.context, vocabulary] });
  };
  const ready = new Map();
  const given = model.parameters.map(({ attributes, shape }) => ({ values: attributes.initial, shape }));
  return trainerOf({
    trainStep: trainStepOf(meanLossOf(sizes)),
    given,
    batchAt(step) {
      const batch = batchAt(step);
      if (!ready.has(batch)) ready.set(batch, { features: oneHot(batch.tokens), classes: oneHot(batch.targets) });
      return ready.get(batch);
    },
  });
}
