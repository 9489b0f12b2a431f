import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Backend } from "../../src/backends/backend.ts";
import { createCpuBackend } from "../../src/backends/cpu/index.ts";
import { characterTokenizer } from "../../src/data/text/characters.ts";
import { makeTextDataset, splitText, type TextDataset } from "../../src/data/text/dataset.ts";
import { streamOfText } from "../../src/data/text/stream.ts";
import { OptionError } from "../../src/errors.ts";
import { functionalModel, layers, sequential, type FunctionalModel } from "../../src/nn/index.ts";
import { createTrainer, type TrainerOptions } from "../../src/train/index.ts";
import { nextTokenLoss } from "../../src/train/next-token.ts";
import { backends } from "../backends.ts";
import { changedBackend, finish, valuesOf } from "./examples.ts";

/** A text in which each character depends on the one before it. */
function chain(length: number, characters: string): string {
  const all = [...characters];
  let [place, text] = [0, ""];
  for (let index = 0; index < length; index++) {
    text += all[place]!;
    place = (place * 3 + 1 + ((index * index) % 2)) % all.length;
  }
  return text;
}

const wide = String.fromCodePoint(...Array.from({ length: 300 }, (_, index) => 0x4e00 + 5 * index));

const datasetOf = (characters: string, context = 7): TextDataset => {
  const tokenizer = characterTokenizer(characters);
  return makeTextDataset({ text: chain(1000, characters), tokenizer, context, name: "chain" });
};

/** The logits of the next token are a row of a table. */
function bigrams({ tokenizer: { vocabularySize }, context }: TextDataset): FunctionalModel<"tokens", "logits"> {
  const table = layers.embedding(vocabularySize, vocabularySize);
  const inputs = { tokens: { shape: [context], dtype: "uint32" } } as const;
  return functionalModel({ inputs, seed: 3 }, ({ tokens }, { use }) => ({ logits: use(table, tokens, "table") }));
}

type Changes = Partial<TrainerOptions<FunctionalModel>>;

const trainerOf = (backend: Backend, dataset: TextDataset, changes: Changes = {}) =>
  createTrainer({
    model: bigrams(dataset) as FunctionalModel,
    backend,
    dataset,
    learningRate: 0.05,
    batchSize: 6,
    epochs: 9,
    maxSteps: 20,
    seed: 5,
    ...changes,
  });

async function runOf(backend: Backend, dataset: TextDataset, changes: Changes = {}) {
  const trainer = await trainerOf(backend, dataset, changes);
  const losses = (await finish(trainer, { every: 1 })).map(({ loss }) => loss);
  const values = valuesOf(await trainer.snapshot());
  trainer.dispose();
  return { losses, values };
}

/** A device whose largest tensor is smaller than the text. */
const smallDevice = (backend: Backend) => changedBackend(backend, { maxTensorBytes: 900 });

describe.each(backends)("a text on $name", ({ create }) => {
  let backend: Backend;
  beforeAll(async () => {
    backend = await create();
  });
  afterAll(() => backend.dispose());

  test.each([
    ["8", "abcdefgh"],
    ["16", wide],
  ])("of %s bits trains with the same bits if the host draws the windows", async (_, characters) => {
    const dataset = datasetOf(characters, 3);
    const resident = await runOf(backend, dataset);
    expect(resident.losses).toHaveLength(20);
    // For 300 characters, a batch of logits would not fit either, and the step would be divided.
    const small = changedBackend(backend, { maxTensorBytes: 1999 });
    const streamed = await runOf(characters === wide ? small : smallDevice(backend), dataset, { microBatchSize: 6 });
    expect(streamed).toEqual(resident);
    const own = { ...streamOfText(dataset, 5), stepsPerEpoch: 100 };
    expect(await runOf(backend, dataset, { dataset: own, loss: nextTokenLoss })).toEqual(resident);
    expect((await runOf(backend, dataset, { seed: 6 })).losses).not.toEqual(resident.losses);
  });

  test("continues from a snapshot with the same bits", async () => {
    const dataset = datasetOf("abcdefgh");
    for (const chosen of [backend, smallDevice(backend)]) {
      const whole = await runOf(chosen, dataset);
      const first = await trainerOf(chosen, dataset);
      await finish(first, { maxSteps: 7 });
      const snapshot = await first.snapshot();
      first.dispose();
      const rest = await runOf(chosen, dataset, { resumeFrom: snapshot });
      expect(rest.losses).toEqual(whole.losses.slice(7));
      expect(rest.values).toEqual(whole.values);
    }
  });

  test("draws the same windows if a step is divided", async () => {
    const dataset = datasetOf("abcdefgh");
    const whole = await runOf(backend, dataset);
    const divided = await runOf(backend, dataset, { microBatchSize: 4 });
    divided.losses.forEach((loss, step) => expect(Math.abs(loss - whole.losses[step]!)).toBeLessThan(1e-5));
  });

  test("is evaluated on windows that follow each other", async () => {
    const dataset = datasetOf("abcdefgh");
    const { train, validation } = splitText(dataset, { validation: 0.3 });
    const trainer = await trainerOf(backend, train, { epochs: 20, maxSteps: 200 });
    await finish(trainer);
    const { loss, accuracy, count } = await trainer.evaluate(validation);
    expect(count).toBe(Math.floor(299 / 7));
    expect(accuracy).toBeNaN();
    const { values, shape } = (await trainer.snapshot()).parameters["layers.table.weight"]!;
    const logits = (token: number) => values.subarray(token * shape[1]!, (token + 1) * shape[1]!);
    let total = 0;
    for (let place = 0; place < 7 * count; place++) {
      const row = logits(validation.tokens[place]!);
      const sum = row.reduce((before, logit) => before + Math.exp(logit), 0);
      total += Math.log(sum) - row[validation.tokens[place + 1]!]!;
    }
    expect(Math.abs(loss - total / (7 * count))).toBeLessThan(1e-5);
    // Two characters may follow each character.
    expect(loss).toBeLessThan(1);
    trainer.dispose();
  });

  test("trains a sequential model, which takes tokens as float32", async () => {
    const dataset = datasetOf("abcdefgh");
    const model = sequential([layers.embedding(8, 8)], { inputShape: [7], seed: 1 });
    const options = { backend, dataset, learningRate: 0.05, batchSize: 6, epochs: 6 };
    const trainer = await createTrainer({ model, ...options });
    const losses = (await finish(trainer, { every: 1 })).map(({ loss }) => loss);
    expect(losses[0]).toBeGreaterThan(2);
    expect(losses.at(-1)).toBeLessThan(1.2);
    const { loss } = await trainer.evaluate(dataset);
    expect(loss).toBeLessThan(1.2);
    trainer.dispose();
  });
});

describe("a text that a trainer refuses", () => {
  const backend = createCpuBackend();
  const dataset = datasetOf("abcdefgh");

  test("has another context than the model", async () => {
    const message = "an example of tokens has the shape [7] but the model's input tokens has [5]";
    await expect(trainerOf(backend, dataset, { model: bigrams(datasetOf("abcdefgh", 5)) })).rejects.toThrow(message);
  });

  test("has more tokens than the model", async () => {
    await expect(trainerOf(backend, dataset, { model: bigrams(datasetOf("abc")) })).rejects.toThrow(
      "the model has 3 logits for each token, but the text has 8 different tokens",
    );
  });

  test("has more tokens than an embedding, which a sequential model takes as float32", async () => {
    const model = sequential([layers.embedding(5, 8)], { inputShape: [7] });
    const options = { model, dataset, learningRate: 0.05, batchSize: 6, epochs: 1 };
    for (const on of [backend, changedBackend(backend, { maxTensorBytes: 400 })]) {
      const refused = createTrainer({ ...options, backend: on }).then((trainer) => finish(trainer));
      await expect(refused).rejects.toThrow(/is [5-7], but toIndex needs whole numbers in 0 … 4/);
    }
  });

  test("has no full batches", async () => {
    await expect(trainerOf(backend, dataset, { batchSize: "full" })).rejects.toThrow(OptionError);
    // A batch may have more windows than follow each other.
    const trainer = await trainerOf(backend, dataset, { batchSize: 500, maxSteps: 1 });
    expect([trainer.stepsPerEpoch, trainer.totalSteps]).toEqual([1, 1]);
    trainer.dispose();
  });

  test("has a model without a vector for each position", async () => {
    const pooled = functionalModel({ inputs: { tokens: { shape: [7], dtype: "uint32" } } }, ({ tokens }, { use }) => ({
      logits: use(layers.flatten(), use(layers.embedding(8, 8), tokens)),
    }));
    await expect(trainerOf(backend, dataset, { model: pooled })).rejects.toThrow(OptionError);
  });
});
