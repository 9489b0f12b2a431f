/*
 * Activations that are stored as float16: their values, the memory of a step, and the losses of training, on every backend.
 */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Backend } from "../../src/backends/backend.ts";
import { createCpuBackend } from "../../src/backends/cpu/index.ts";
import { unitScale, type AnyDataset } from "../../src/data/dataset.ts";
import { builtInDigits } from "../../src/data/digits.ts";
import { characterTokenizer } from "../../src/data/text/characters.ts";
import { makeTextDataset } from "../../src/data/text/dataset.ts";
import { defineGraph, topologicalOrder } from "../../src/graph/graph.ts";
import { input } from "../../src/graph/leaves.ts";
import { layers, models, sequential, toSequential, type Model } from "../../src/nn/index.ts";
import { withFloat16Activations } from "../../src/ops/activation-storage.ts";
import { multiply, relu } from "../../src/ops/elementwise/index.ts";
import { gradients } from "../../src/ops/gradients.ts";
import { matmul } from "../../src/ops/matmul/index.ts";
import { toFloat16 } from "../../src/ops/matmul/precision.ts";
import { sum } from "../../src/ops/reduce/index.ts";
import { createTrainer, type TrainerOptions } from "../../src/train/index.ts";
import { backends } from "../backends.ts";
import { clouds, finish } from "./examples.ts";

const { batchNorm, conv2d, dense, flatten } = layers;

interface Subject {
  readonly model: Model;
  readonly dataset: AnyDataset;
  readonly options?: Partial<TrainerOptions>;
  /** The largest share of the bytes of a step with float32. */
  readonly share: number;
}

const text = "to be or not to be, that is the question. ".repeat(20);
const tokenizer = characterTokenizer(text);

const subjects: Readonly<Record<string, Subject>> = {
  // 16 activations and as many values before tanh, in 2 bytes instead of 4, besides 3 in float32: (16 + 3) / 33 = 0.576.
  "16 dense layers": {
    model: sequential([...Array.from({ length: 16 }, () => dense(16, { activation: "tanh" })), dense(3)], {
      inputShape: [20],
      seed: 3,
    }),
    dataset: clouds(1024, { width: 20 }),
    options: { batchSize: 512 },
    share: 0.58,
  },
  "convolutions with batch normalization": {
    model: sequential(
      [
        ...Array.from({ length: 3 }, (_, at) => [
          conv2d(4, 3, { padding: "same", stride: at === 0 ? 2 : 1, activation: "relu", bias: false }),
          batchNorm(),
        ]).flat(),
        flatten(),
        dense(10),
      ],
      { inputShape: [28, 28], seed: 2 },
    ),
    dataset: builtInDigits({ train: 48, test: 10 }).train,
    options: { normalization: unitScale, batchSize: 16 },
    share: 0.65,
  },
  "a GPT of 3 blocks": {
    model: toSequential(
      models.gpt({ vocabulary: tokenizer.vocabularySize, context: 16, layers: 3, heads: 2, width: 16, seed: 5 }),
    ),
    dataset: makeTextDataset({ text, tokenizer, context: 16 }),
    options: { batchSize: 8, maxSteps: 4 },
    share: 0.7,
  },
};

async function trained(backend: Backend, { model, dataset, options }: Subject, more: Partial<TrainerOptions>) {
  const usual = { learningRate: 0.01, batchSize: 64, epochs: 1, gradientNorm: true };
  const trainer = await createTrainer({ model, dataset, backend, ...usual, ...options, ...more } as TrainerOptions);
  const events = await finish(trainer, { every: 1 });
  const { stepBytes } = trainer;
  trainer.dispose();
  return { losses: events.map(({ loss }) => loss), norms: events.map(({ gradientNorm }) => gradientNorm!), stepBytes };
}

/** The largest |a / b − 1|. */
const distance = (a: readonly number[], b: readonly number[]): number =>
  Math.max(...a.map((value, step) => Math.abs(value / b[step]! - 1)));

describe.each(backends)("activations stored as float16 on $name", ({ name, create }) => {
  let backend: Backend;
  beforeAll(async () => {
    backend = await create();
  });
  afterAll(() => backend.dispose());

  test("a gradient reads what the forward pass computed, rounded to 11 bits", async () => {
    // Sums of integers, which are exact in any order. An odd number of elements fills half of the last word.
    const [rows, inner, units] = [3, 5, 7];
    const x = input("x", [rows, inner]);
    const weights = input("weights", [inner, units]);
    const upstream = input("upstream", [rows, units]);
    const last = input("last", [units, units]);
    const hidden = relu(matmul(x, weights));
    const loss = sum(multiply(matmul(hidden, last), upstream));
    const [ofWeights, ofLast] = withFloat16Activations(loss, gradients(loss, [weights, last]));
    const value = (size: number, factor: number) =>
      Float32Array.from({ length: size }, (_, at) => ((at * 37) % 23) * factor - 11 * factor);
    const values = {
      x: value(x.size, 7),
      weights: value(weights.size, 13),
      upstream: value(upstream.size, 1),
      last: value(last.size, 1),
    };
    const session = backend.createSession();
    const executable = await session.compile(defineGraph({ hidden, ofWeights, ofLast }));
    for (const leaf of [x, weights, upstream, last])
      session.write(leaf, values[(leaf.attributes as { name: keyof typeof values }).name]);
    executable.run(0, 1);
    // A backend may add to 0 or to −0.
    const found = async (output: string) => Array.from(await executable.read(output), (one) => one + 0);
    const forward = await found("hidden");
    const rounded = forward.map(toFloat16);
    expect(rounded.filter((one, at) => one !== forward[at]).length).toBeGreaterThan(3);
    const product = (length: number, columns: number, at: (row: number, column: number) => number) =>
      Array.from({ length: length * columns }, (_, index) => at(Math.floor(index / columns), index % columns));
    const total = (count: number, term: (k: number) => number) =>
      Array.from({ length: count }, (_, k) => term(k)).reduce((all, one) => all + one, 0);
    const ofHidden = product(rows, units, (row, unit) =>
      forward[row * units + unit]! > 0
        ? total(units, (k) => values.upstream[row * units + k]! * values.last[unit * units + k]!)
        : 0,
    );
    expect(await found("ofLast")).toEqual(
      product(units, units, (k, unit) =>
        total(rows, (row) => rounded[row * units + k]! * values.upstream[row * units + unit]!),
      ),
    );
    expect(await found("ofWeights")).toEqual(
      product(inner, units, (k, unit) =>
        total(rows, (row) => values.x[row * inner + k]! * ofHidden[row * units + unit]!),
      ),
    );
    session.dispose();
  });

  // On WebGPU, the kernels of the others are compiled in test/ops/, and they take long to compile.
  const trainedHere = { "cpu float32": [], webgpu: ["16 dense layers"], wasm: Object.keys(subjects) }[name]!;
  test.each(trainedHere)("%s", async (which) => {
    const subject = subjects[which]!;
    const exact = await trained(backend, subject, {});
    const found = await trained(backend, subject, { activationStorage: "float16" });
    const reference = await trained(createCpuBackend(), subject, { activationStorage: "float16" });
    // The forward pass is not rounded. Each factor of the gradient has a relative error of up to 2⁻¹².
    expect(found.losses[0]).toBe(exact.losses[0]);
    const change = distance(found.norms.slice(0, 1), exact.norms);
    expect(change).toBeGreaterThan(1e-6);
    expect(change).toBeLessThan(2 ** -10);
    // Adam divides gradients by their size, so that small ones, with large relative errors, count as much as others.
    expect(distance(found.losses, exact.losses)).toBeLessThan(0.01);
    expect(distance(found.losses, reference.losses)).toBeLessThan(1e-5);
    expect(distance(found.norms, reference.norms)).toBeLessThan(1e-5);
    expect(found.stepBytes! / exact.stepBytes!).toBeLessThan(subject.share);
  });
});

test("statistics, leaves and what is read from them are not stored anew", () => {
  const model = sequential([conv2d(2, 3), batchNorm(), flatten(), dense(2)], { inputShape: [6, 6, 1] });
  const x = input("x", [4, 6, 6, 1]);
  const loss = sum(model.apply(x, { training: true }));
  const found = withFloat16Activations(loss, gradients(loss, model.parameters));
  const packed = topologicalOrder(found).filter(({ op }) => op.name === "packFloat16");
  expect(packed.map(({ inputs }) => inputs[0]!.shape)).toEqual([
    [64, 2],
    [64, 2],
  ]);
});

test("refuses another storage by name", async () => {
  const subject = { ...subjects["16 dense layers"]!, options: { activationStorage: "bfloat16" } as never };
  await expect(trained(createCpuBackend(), subject, {})).rejects.toThrow(
    'activationStorage: unknown activationStorage "bfloat16". Did you mean float16? Choose one of float32, float16.',
  );
});
