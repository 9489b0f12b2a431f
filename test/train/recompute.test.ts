/*
 * Gradient checkpointing: the same bits in less memory, on every backend.
 */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Backend } from "../../src/backends/backend.ts";
import { unitScale, type AnyDataset } from "../../src/data/dataset.ts";
import { builtInDigits } from "../../src/data/digits.ts";
import { characterTokenizer } from "../../src/data/text/characters.ts";
import { makeTextDataset } from "../../src/data/text/dataset.ts";
import { topologicalOrder } from "../../src/graph/graph.ts";
import { parameter } from "../../src/graph/leaves.ts";
import type { Tensor } from "../../src/graph/tensor.ts";
import { layers, models, sequential, toSequential, type Model } from "../../src/nn/index.ts";
import { tanh } from "../../src/ops/elementwise/index.ts";
import { checkpointedGradients } from "../../src/ops/recompute.ts";
import { matmul } from "../../src/ops/matmul/index.ts";
import { mean } from "../../src/ops/reduce/index.ts";
import { createTrainer, type TrainerOptions } from "../../src/train/index.ts";
import { backends } from "../backends.ts";
import { clouds, finish, valuesOf } from "./examples.ts";

const { batchNorm, conv2d, dense, dropout, flatten, maxPool2d } = layers;

interface Subject {
  readonly model: Model;
  readonly dataset: AnyDataset;
  readonly options?: Partial<TrainerOptions>;
  /** With each number of layers, the largest share of the bytes without recomputing. */
  readonly shares: Readonly<Record<number, number>>;
}

const text = "to be or not to be, that is the question. ".repeat(20);
const tokenizer = characterTokenizer(text);

const subjects: Readonly<Record<string, Subject>> = {
  "12 dense layers with dropout": {
    model: sequential(
      [...Array.from({ length: 12 }, () => [dense(24, { activation: "gelu" }), dropout(0.1)]).flat(), dense(3)],
      { inputShape: [20], seed: 3 },
    ),
    dataset: clouds(192, { width: 20 }),
    shares: { 6: 0.6 },
  },
  "4 convolutions with batch normalization": {
    model: sequential(
      [
        ...Array.from({ length: 4 }, (_, at) => [
          conv2d(4, 3, { padding: "same", stride: at === 0 ? 2 : 1, activation: "tanh", bias: false }),
          batchNorm(),
        ]).flat(),
        maxPool2d(2),
        flatten(),
        dense(10),
      ],
      { inputShape: [28, 28], seed: 2 },
    ),
    dataset: builtInDigits({ train: 48, test: 10 }).train,
    options: { normalization: unitScale, batchSize: 16, microBatchSize: 10 },
    shares: { 2: 0.75 },
  },
  "a GPT of 4 blocks with dropout": {
    model: toSequential(
      models.gpt({
        vocabulary: tokenizer.vocabularySize,
        context: 16,
        layers: 4,
        heads: 2,
        width: 16,
        dropout: 0.1,
        seed: 5,
      }),
    ),
    dataset: makeTextDataset({ text, tokenizer, context: 16 }),
    options: { batchSize: 8, maxSteps: 3 },
    shares: { 1: 0.6 },
  },
};

async function trained(backend: Backend, { model, dataset, options }: Subject, recompute?: number) {
  const usual = { learningRate: 0.01, batchSize: 64, epochs: 1, gradientNorm: true };
  const more = recompute === undefined ? {} : { recompute };
  const trainer = await createTrainer({ model, dataset, backend, ...usual, ...options, ...more } as TrainerOptions);
  const losses = (await finish(trainer, { every: 1 })).map(({ loss, gradientNorm }) => [loss, gradientNorm]);
  const values = valuesOf(await trainer.snapshot());
  const { stepBytes } = trainer;
  trainer.dispose();
  return { losses, values, stepBytes };
}

describe.each(backends)("recomputing activations on $name", ({ name, create }) => {
  let backend: Backend;
  beforeAll(async () => {
    backend = await create();
  });
  afterAll(() => backend.dispose());

  test.each(Object.keys(subjects))("%s: the same bits in less memory", async (which) => {
    const subject = subjects[which]!;
    const usual = await trained(backend, subject);
    for (const [every, share] of Object.entries(subject.shares)) {
      const found = await trained(backend, subject, Number(every));
      expect(found.losses).toEqual(usual.losses);
      expect(found.values).toEqual(usual.values);
      if (name === "cpu float32") expect(found.stepBytes).toBe(undefined);
      else expect(found.stepBytes! / usual.stepBytes!).toBeLessThan(share);
    }
  });

  test("refuses a number of layers that the model does not have", async () => {
    const subject = {
      model: sequential([dense(4), dense(3)], { inputShape: [20] }),
      dataset: clouds(64, { width: 20 }),
    };
    await expect(trained(backend, { ...subject, shares: {} }, 2)).rejects.toThrow(
      "recompute: 2 is out of range. Give a number below 2, that of the layers.",
    );
    await expect(trained(backend, { ...subject, shares: {} }, 0)).rejects.toThrow(/recompute/);
  });
});

test("the gradient reads kept tensors and copies of the nodes between them, and no other activation", () => {
  const weights = Array.from({ length: 6 }, (_, at) => parameter(`w${at}`, [5, 5], new Float32Array(25).fill(0.1)));
  const x = parameter("x", [2, 5], new Float32Array(10).fill(1));
  const activations: Tensor[] = [];
  const last = weights.reduce((value, weight) => {
    activations.push(tanh(matmul(value, weight)));
    return activations.at(-1)!;
  }, x as Tensor);
  const kept = [activations[1]!, activations[3]!];
  const loss = mean(last);
  const forward = new Set(topologicalOrder([loss]).filter(({ op }) => op.kind === "compute"));
  const found = topologicalOrder(checkpointedGradients(loss, weights, kept));
  const readBy = (node: Tensor) => node.inputs.filter((input) => forward.has(input));
  const backward = found.filter((node) => !forward.has(node));
  // What follows the last kept tensor is not computed again.
  const before = new Set(topologicalOrder([kept[1]!]));
  const allowed = [...kept, ...[...forward].filter((node) => !before.has(node))];
  for (const node of backward)
    for (const input of readBy(node)) expect(allowed, `${node} of ${input}`).toContain(input);
  // Copies of activations 0 and 2, and of no kept one.
  expect(backward.filter(({ op }) => op.name === "tanh")).toHaveLength(2);
});
