/* Texts and devices: a lost device, texts of 100 MB, the gradient of the embedding, and what generation makes on a GPU. */
import { expect, test, vi } from "vitest";
import type { Backend } from "../../src/backends/backend.ts";
import { byteTokenizer } from "../../src/data/text/bytes.ts";
import { characterTokenizer } from "../../src/data/text/characters.ts";
import { makeTextDataset, type TextDataset } from "../../src/data/text/dataset.ts";
import type { DataStream } from "../../src/data/stream.ts";
import { streamOfText } from "../../src/data/text/stream.ts";
import { functionalModel, layers, models, sequential } from "../../src/nn/index.ts";
import { createTextGenerator, createTrainer, type Recovery, type TrainerOptions } from "../../src/train/index.ts";
import { nextTokenLoss } from "../../src/train/next-token.ts";
import { acquireBackend, acquireLosableBackend, CreationCounter } from "../gpu.ts";
import { acquireLosableWasm, acquireWasm, acquireWasmBackend } from "../wasm.ts";
import { finish, valuesOf } from "./examples.ts";

// A new device compiles all kernels again, on cores that other tests use as well.
vi.setConfig({ testTimeout: 240_000 });

const tokenizer = characterTokenizer("abcdefgh");
const CONTEXT = 12;
const dataset = makeTextDataset({ text: "abcdefghhgfedcba".repeat(30), tokenizer, context: CONTEXT });

const gpt = () => models.gpt({ vocabulary: 8, context: CONTEXT, layers: 1, heads: 2, width: 8, seed: 2 });

/** Attention with dropout; a whole block has more kernels, which take long to compile on a software adapter. */
const attending = () => {
  const inner = [
    layers.positionEmbedding(CONTEXT),
    layers.multiHeadAttention({ heads: 2, causal: true, dropout: 0.1 }),
  ];
  return sequential([layers.tiedEmbedding(8, 8, inner)], { inputShape: [CONTEXT] });
};

/** The logits of the next token are a row of a table. */
function bigrams({ tokenizer: { vocabularySize }, context }: TextDataset) {
  const table = layers.embedding(vocabularySize, vocabularySize);
  const inputs = { tokens: { shape: [context], dtype: "uint32" } } as const;
  return functionalModel({ inputs, seed: 3 }, ({ tokens }, { use }) => ({ logits: use(table, tokens, "table") }));
}

const options = { learningRate: 0.01, batchSize: 5, epochs: 9, maxSteps: 20 };

test.each([
  ["webgpu", acquireLosableBackend],
  ["wasm", acquireLosableWasm],
] as const)(
  "attention on a device of %s that is lost ends with the same losses and bits",
  async (_, acquireLosable) => {
    const { backend, lose } = await acquireLosable();
    const run = async (losesAt: number, changes: Partial<TrainerOptions> = {}) => {
      const trainer = await createTrainer({ ...options, model: attending(), dataset, backend, ...changes });
      const losses: number[] = [];
      for await (const { step, loss } of trainer.fit({ every: 1, stepsPerSubmit: 2 })) {
        losses.push(loss);
        if (step === losesAt) lose();
      }
      return { losses, values: valuesOf(await trainer.snapshot()) };
    };
    const plain = await run(-1);
    const recoveries: Recovery[] = [];
    const lost = await run(12, { snapshotSeconds: 0.001, onRecovery: (one) => recoveries.push(one) });
    expect(recoveries).toHaveLength(1);
    // The text is on the device, and is written to the new one.
    expect(lost).toEqual(plain);
    backend.dispose();
  },
);

test("a text of 100 MB stays on a device, and trains with the losses of windows that the host draws", async () => {
  const tokens = Uint8Array.from({ length: 100e6 }, (_, index) => index * 7 + (index >> 11));
  const large = { name: "large", tokens, tokenizer: byteTokenizer(), context: CONTEXT, count: 8e6 };
  const [webgpu, wasm] = [await acquireBackend(), await acquireWasmBackend()];
  // The smallest limit of a binding of WebGPU is 128 MiB.
  expect(tokens.length).toBeLessThanOrEqual(webgpu.maxTensorBytes);
  const lossesOf = async (backend: Backend, source: TextDataset | DataStream) => {
    const own = { ...options, maxSteps: 3, model: bigrams(large), loss: nextTokenLoss };
    const trainer = await createTrainer({ ...own, backend, dataset: source });
    const losses = (await finish(trainer, { every: 1 })).map(({ loss }) => loss);
    backend.dispose();
    return losses;
  };
  const resident = await lossesOf(webgpu, large);
  const streamed = await lossesOf(wasm, { ...streamOfText(large, 1), stepsPerEpoch: 100 });
  expect(resident).toHaveLength(3);
  resident.forEach((loss, step) => expect(Math.abs(loss - streamed[step]!)).toBeLessThan(1e-5));
});

test("the gradient of an embedding has the same bits in each run, and for any number of threads", async () => {
  const wide = characterTokenizer(String.fromCodePoint(...Array.from({ length: 600 }, (_, index) => 0x4e00 + index)));
  // A batch has most tokens several times, and the table is too large for a product with one-hot rows.
  const tokens = Uint16Array.from({ length: 3000 }, (_, index) => (index * index + (index % 5)) % 600);
  const many = { name: "many", tokens, tokenizer: wide, context: 64, count: 46 };
  const valuesOn = async (backend: Backend) => {
    const own = { ...options, maxSteps: 5, batchSize: 12, model: bigrams(many), dataset: many };
    const trainer = await createTrainer({ ...own, backend });
    await finish(trainer);
    return valuesOf(await trainer.snapshot());
  };
  const webgpu = await acquireBackend();
  expect(await valuesOn(webgpu)).toEqual(await valuesOn(webgpu));
  const [two, { backend: one }] = [await acquireWasmBackend(), await acquireWasm(1)];
  expect(await valuesOn(two)).toEqual(await valuesOn(one));
  for (const backend of [webgpu, two, one]) backend.dispose();
});

test("generating a token within the context makes nothing on the GPU, and one step of one position", async () => {
  const backend = await acquireBackend();
  const counter = new CreationCounter();
  try {
    const generator = await createTextGenerator({ model: gpt(), session: backend.createSession(), tokenizer });
    const pieces = generator.generate({ prompt: "a", tokens: CONTEXT - 1 })[Symbol.asyncIterator]();
    for (let token = 0; token < 3; token++) await pieces.next();
    expect(counter.take()["createBuffer"]).toBeGreaterThan(0);
    for (let token = 3; token < CONTEXT - 2; token++) expect((await pieces.next()).done).toBe(false);
    expect(counter.take()).toEqual({});
  } finally {
    counter.stop();
    backend.dispose();
  }
});
