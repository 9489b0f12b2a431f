import { expect, test } from "vitest";
import {
  augmentedDigits,
  fixedDigits,
  makeDigitStream,
  sources,
  train,
  trainInParts,
  type Source,
} from "../../examples/23-streaming-data.ts";
import { digitAt } from "../../examples/lib/digits.ts";
import { builtInDigits, type Batches, type StreamBatch } from "../../src/index.ts";
import { acquireWasmBackend } from "../wasm.ts";
import { onBackends } from "./on-backends.ts";

/** The first batches of the stream from a step on. */
async function batchesFrom(fromStep: number, count: number): Promise<StreamBatch[]> {
  const open = makeDigitStream().batches as (fromStep: number, batchSize: number) => Batches;
  const batches: StreamBatch[] = [];
  for await (const batch of open(fromStep, 20)) {
    batches.push(batch);
    if (batches.length === count) break;
  }
  return batches;
}

test("the stream has other digits in each step, and the same ones when it is read from a later step", async () => {
  const batches = await batchesFrom(0, 4);
  expect(batches.slice(2)).toEqual(await batchesFrom(2, 2));
  const first = batches.map(({ features }) => features!.slice(0, 784).join());
  expect(new Set(first).size).toBe(4);
  expect(batches[3]!["labels"]).toEqual(Uint32Array.from({ length: 20 }, (_, index) => index % 10));
});

onBackends("streaming data", (backend) => {
  test("a run in three parts has the losses and weights of a run at once", async () => {
    const source = sources(1)["new digits, augmented"]!;
    const whole = await trainInParts(backend(), source, []);
    expect(whole.losses).toHaveLength(10);
    expect(await trainInParts(backend(), source, [3, 7])).toEqual(whole);
    // The losses are not those of the digits before augmentation.
    const plain = await trainInParts(backend(), sources(1)["new digits"]!, []);
    whole.losses.forEach((loss, step) => expect(Math.abs(loss - plain.losses[step]!)).toBeGreaterThan(1e-4));
  });

  test("augmentations move digits and cut pieces out, differently for each key", async () => {
    const digits = fixedDigits();
    const two = {
      ...digits,
      count: 2,
      features: digits.features.subarray(0, 2 * 784),
      labels: digits.labels.subarray(0, 2),
    };
    const [one, other, again] = await augmentedDigits(backend(), two, [1, 2, 1]);
    expect(again).toEqual(one);
    for (const row of [one!, other!]) {
      expect(Math.min(...row)).toBe(0);
      expect(Math.max(...row)).toBeLessThanOrEqual(1);
      // Most of the ink is still there: the factors of the area are 0.81 to 1.21, and a square of 6 × 6 pixels is cut out.
      const ink = (values: ArrayLike<number>) => Array.from(values).reduce((total, level) => total + level, 0);
      for (const index of [0, 1]) {
        const share = ink(row.slice(784 * index, 784 * (index + 1))) / (ink(digitAt(two, index)) / 255);
        expect(share).toBeGreaterThan(0.5);
        expect(share).toBeLessThan(1.25);
      }
    }
    const distance = one!.reduce((total, level, pixel) => total + Math.abs(level - other![pixel]!), 0);
    expect(distance).toBeGreaterThan(20);
  });
});

test("new or augmented digits prevent overfitting", async () => {
  const backend = await acquireWasmBackend();
  const held = builtInDigits({ train: 1, test: 500 }).test;
  const final = async (source: Source) => {
    const { losses, accuracies } = await train(backend, source, held);
    expect(losses).toHaveLength(40);
    return { loss: losses.at(-1)!, accuracy: accuracies.at(-1)! };
  };
  const found = Object.fromEntries(
    await Promise.all(Object.entries(sources(40)).map(async ([name, source]) => [name, await final(source)] as const)),
  );
  const [fixed, both] = [found["500 digits"]!, found["new digits, augmented"]!];
  expect(fixed.loss).toBeLessThan(0.03);
  expect(fixed.accuracy).toBeLessThan(0.85);
  expect(both.loss).toBeGreaterThan(10 * fixed.loss);
  for (const name of ["500 digits, augmented", "new digits", "new digits, augmented"]) {
    expect(found[name]!.accuracy).toBeGreaterThan(0.88);
  }
  backend.dispose();
});
