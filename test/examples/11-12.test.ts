import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import {
  fullBatch,
  HandwrittenNetwork,
  makeModel,
  sampleBySample,
  throughCsv,
  trainByHand,
  trainByLibrary,
} from "../../examples/11-mnist-from-scratch.ts";
import { byFramework, byHand, table, type Contestant } from "../../examples/12-mnist-minibatch.ts";
import { builtInDigits, type ClassificationDataset } from "../../src/index.ts";
import { onBackends } from "./on-backends.ts";

const digits = builtInDigits();
let [folder, train, test60]: [string, ClassificationDataset, ClassificationDataset] = ["", digits.train, digits.test];
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "wgrad-test-"));
  train = await throughCsv(folder, digits.train, 40);
  test60 = await throughCsv(folder, digits.test, 60);
});
afterAll(() => rm(folder, { recursive: true, force: true }));

test("reads the digits back from a CSV file with the label first, then 784 pixels", async () => {
  const [first] = (await readFile(join(folder, "digits.csv"), "utf8")).split("\n");
  expect(first!.split(",")).toHaveLength(785);
  expect(Number(first!.split(",")[0])).toBe(digits.test.labels[0]);
  expect(train.labels).toEqual(digits.train.labels.slice(0, 40));
  expect(train.features).toEqual(digits.train.features.slice(0, 40 * 784));
});

test("the gradient by hand agrees with central differences", () => {
  const network = new HandwrittenNetwork(makeModel(784));
  const pixels = digits.train.features.subarray(0, 784);
  const gradients = [new Float64Array(784 * 200), new Float64Array(2000)] as const;
  const errorNow = () => network.addGradient(pixels, 3, 0, new Float64Array(784 * 200), new Float64Array(2000));
  network.addGradient(pixels, 3, 1, ...gradients);
  const lit = pixels.indexOf(255) >= 0 ? pixels.indexOf(255) : pixels.findIndex((value) => value > 100);
  for (const [weights, gradient, places] of [
    [network.weights1, gradients[0], [lit * 200, lit * 200 + 77]],
    [network.weights2, gradients[1], [3, 1004, 1999]],
  ] as const) {
    for (const at of places) {
      const value = weights[at]!;
      const errors = [1e-5, -1e-5].map((change) => {
        weights[at] = value + change;
        return errorNow();
      });
      weights[at] = value;
      expect(Math.abs(gradient[at]!)).toBeGreaterThan(1e-8);
      expect((errors[0]! - errors[1]!) / 2e-5).toBeCloseTo(gradient[at]!, 8);
    }
  }
});

onBackends("mnist from scratch", (backend) => {
  test.each([
    ["sample by sample", { ...sampleBySample, steps: 60 }],
    ["full batch", { ...fullBatch, steps: 4 }],
  ] as const)("%s, the library takes the steps taken by hand", async (_, recipe) => {
    const hand = trainByHand(train, test60, recipe);
    const library = await trainByLibrary(backend(), train, test60, recipe);
    expect(library.losses).toHaveLength(recipe.steps);
    expect(hand.losses.at(-1)).toBeLessThan(0.8 * hand.losses[0]!);
    // float32 compared with float64: sums of 784 products of about 1 have rounding errors of about 1e-6.
    hand.losses.forEach((loss, step) => expect(Math.abs(loss - library.losses[step]!)).toBeLessThan(2e-5));
    expect(library.testAccuracy).toBeCloseTo(hand.testAccuracy, 10);
  });
});

const part = (data: ClassificationDataset, count: number): ClassificationDataset => ({
  ...data,
  count,
  features: data.features.subarray(0, 784 * count),
  labels: data.labels.subarray(0, count),
});
const contest = { train: part(digits.train, 960), test: part(digits.test, 200), epochs: 3, marks: 2 };
let hand: Contestant;
beforeAll(() => {
  hand = byHand(contest);
});

onBackends("mnist in minibatches", (backend) => {
  test("wgrad is more accurate than the handwritten network after the same number of epochs", async () => {
    const framework = await byFramework(backend(), contest);
    expect([hand.steps, framework.steps]).toEqual([2880, 45]);
    for (const { marks } of [hand, framework]) {
      expect(marks).toHaveLength(2);
      expect(marks[1]!.seconds).toBeGreaterThan(marks[0]!.seconds);
    }
    const accuracy = ({ marks }: Contestant) => marks.at(-1)!.accuracy;
    expect(accuracy(framework)).toBeGreaterThan(accuracy(hand));
    expect(accuracy(framework)).toBeGreaterThan(0.7);
    expect(table([hand, framework])).toHaveLength(4);
    expect(table([hand, framework])[3]).toMatch(/^\| by wgrad \| +45 \| +\d+\.\d \| +\d+\.\d\d % \|$/);
  });
});
