import { readFileSync } from "node:fs";
import { beforeAll, describe, expect, test } from "vitest";
import { makeClassificationDataset, makeRegressionDataset, type Dataset } from "../../../src/data/dataset.ts";
import { settledFlags, textEpochs, usualEpochs, usualValidation } from "../../../src/cli/options/defaults.ts";
import type { TrainFlags } from "../../../src/cli/options/train-options.ts";
import type { TrainingSource } from "../../../src/cli/data/data-source.ts";
import { loadModelFile } from "../../../src/node/index.ts";
import { initialValues } from "../../../src/formats/model.ts";
import { Random } from "../../../src/random.ts";
import { commandLine, type Finished } from "../built-cli.ts";

const cli = commandLine();
const { inFolder } = cli;
const wgrad = (args: string): Promise<Finished> => cli.run(args.split(" "));
const { write } = cli;

const COLUMNS = 10;

/** y is linear in ten columns, and 45 % of its variance is noise: the expected R² of the best model is 0.55. */
function noisyLinear(count: number, seed: number): string[] {
  const random = new Random(seed);
  const rows = Array.from({ length: count }, () => {
    const values = Array.from({ length: COLUMNS }, () => random.normal(0, 1));
    const signal =
      values.reduce((sum, value, index) => sum + value * (index % 2 === 0 ? 1 : -1), 0) / Math.sqrt(COLUMNS);
    return [...values, Math.sqrt(0.55) * signal + random.normal(0, Math.sqrt(0.45))]
      .map((value) => value.toFixed(4))
      .join(",");
  });
  return [[...Array.from({ length: COLUMNS }, (_, index) => `x${index}`), "y"].join(","), ...rows];
}

/** Rows with random classes, which a model can only memorize. */
function noiseOfClasses(count: number): string[] {
  const random = new Random(5);
  const rows = Array.from({ length: count }, () =>
    [random.normal(0, 1), random.normal(0, 1), ["no", "yes"][random.below(2)]].join(","),
  );
  return ["a,b,y", ...rows];
}

beforeAll(async () => {
  write("noisy.csv", noisyLinear(300, 1));
  write("unseen.csv", noisyLinear(400, 2));
  write("noise.csv", noiseOfClasses(80));
});

const done = (log: string) =>
  JSON.parse(readFileSync(inFolder(log), "utf8").trimEnd().split("\n").at(-1)!) as Record<string, number>;

describe("regression on a small and noisy table", () => {
  test("does not overfit with the defaults", async () => {
    const trained = await wgrad(
      "train --csv noisy.csv --test-csv unseen.csv --device cpu --out noisy.safetensors --log noisy.jsonl",
    );
    expect(trained).toMatchObject({ code: 0, stderr: "" });
    expect(trained.stdout).toMatch(/270 for training, 30 for validation, 400 for testing$/m);
    expect(trained.stdout).toMatch(/^training +2,000 steps of 64, adamW/m);
    expect(trained.stdout).toMatch(/^stopped +at step \d+: the validation loss was lowest/m);
    // He initialization and 2,000 steps of Adam without a validation set gave 0.38.
    expect(done("noisy.jsonl")["testR2"]).toBeGreaterThan(0.5);
    const { configuration } = await loadModelFile(inFolder("noisy.safetensors"));
    expect(configuration).toMatchObject({ optimizer: "adamW", weightDecay: 0.3, validation: 0.1, patience: 20 });
  });

  test("uses the given options instead of the defaults", async () => {
    const { stdout } = await wgrad(
      "train --csv noisy.csv --validation 0 --optimizer sgd --max-steps 2 --device cpu --out sgd.safetensors",
    );
    expect(stdout).toMatch(/300 for training$/m);
    expect(stdout).toMatch(/^training +2 steps of 64, sgd/m);
    const { configuration, model } = await loadModelFile(inFolder("sgd.safetensors"));
    expect(configuration).toMatchObject({ optimizer: "sgd", validation: 0 });
    expect(configuration).not.toHaveProperty("weightDecay");
    expect(configuration).not.toHaveProperty("patience");
    // Two small steps from initial values within ±1/√inputs.
    const weights = initialValues(model)["layers.1.weight"]!.values;
    const largest = weights.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
    expect(largest).toBeGreaterThan(0.9 / Math.sqrt(COLUMNS));
    expect(largest).toBeLessThan(1.1 / Math.sqrt(COLUMNS));
  });
});

describe("a validation loss that was lowest long before the end", () => {
  test("is reported, with the option that keeps that model", async () => {
    const overfitted = await wgrad("train --csv noise.csv --validation 0.4 --lr 0.02 --epochs 200 --device cpu");
    expect(overfitted.stdout).toMatch(
      /^lowest +validation loss [\d.]+ at step \d+, [\d.]+ at the end:\n? +--patience 20 keeps the model with the lowest loss$/m,
    );
    const kept = await wgrad(
      "train --csv noise.csv --validation 0.4 --lr 0.02 --epochs 200 --patience 20 --device cpu",
    );
    expect(kept.stdout).toMatch(/^stopped +at step/m);
    expect(kept.stdout).not.toMatch(/^lowest/m);
  });

  test("is not reported if the loss was lowest at the end", async () => {
    expect(
      (await wgrad("train --csv noise.csv --validation 0.4 --lr 1e-5 --max-steps 50 --device cpu")).stdout,
    ).not.toMatch(/^lowest/m);
  });
});

describe("defaults that depend on the data", () => {
  const regression = (count: number): Dataset =>
    makeRegressionDataset({
      name: "q",
      features: new Float32Array(count),
      shape: [1],
      targets: new Float32Array(count),
      outputs: ["y"],
    });
  const classes = makeClassificationDataset({
    name: "c",
    features: new Float32Array(100),
    shape: [1],
    labels: new Uint32Array(100),
    classes: ["a", "b"],
  });
  const given = (flags: Partial<TrainFlags>) => flags as TrainFlags;
  const source = (parts: Partial<TrainingSource>) => parts as TrainingSource;
  const table = {} as TrainingSource["table"];

  test("hold out rows for regression on 50 rows or more", () => {
    expect([49, 50, 1e4].map((count) => usualValidation(regression(count)))).toEqual([0, 0.1, 0.1]);
    expect(usualValidation(classes)).toBe(0);
  });

  test("set weight decay and patience for tables, unless options are given", () => {
    const [train, validation] = [regression(90), regression(10)];
    expect(settledFlags(given({}), source({ train, validation, table }))).toEqual({
      optimizer: "adamW",
      weightDecay: 0.3,
      validation: 0.1,
      patience: 20,
      warmup: 0,
    });
    expect(settledFlags(given({}), source({ train: classes, validation, table }))).toEqual({
      optimizer: "adamW",
      weightDecay: 0.3,
      validation: 0.1,
      warmup: 0,
    });
    const plain = { optimizer: "adam", validation: 0, warmup: 0 };
    expect(settledFlags(given({}), source({ train: classes }))).toEqual(plain);
    const chosen = { optimizer: "adam", validation: 0.3, patience: 3, warmup: 7 } as const;
    expect(settledFlags(given(chosen), source({ train, validation, table }))).toEqual(chosen);
  });

  test("are nanoGPT's for text, and follow the options that are given", () => {
    const text = { kind: "text", train: { count: 15_000 }, validation: { count: 1700 } } as TrainingSource;
    const cosine = { schedule: "cosine", batch: 12 } as const;
    expect(settledFlags(given(cosine), text)).toEqual({
      ...cosine,
      optimizer: "adamW",
      weightDecay: 0.1,
      beta2: 0.99,
      finalRate: 0.1,
      warmup: 100,
      maxSteps: 2000,
      validation: 0.1,
    });
    const plain = { schedule: "constant", optimizer: "sgd", maxSteps: 60, batch: 12 } as const;
    expect(settledFlags(given(plain), text)).toEqual({ ...plain, warmup: 3, validation: 0.1 });
    // Two epochs of 10 steps.
    const short = settledFlags(given({ ...cosine, batch: 1500, epochs: 2 }), text);
    expect(short).toMatchObject({ epochs: 2, warmup: 1 });
    expect(short).not.toHaveProperty("maxSteps");
    expect(settledFlags(given({ ...cosine, optimizer: "adam", beta2: 0.95 }), text)).toMatchObject({ beta2: 0.95 });
    expect(textEpochs({ batch: 12 }, 15_000)).toBe(2);
    expect(textEpochs({ batch: 12, maxSteps: 3000 }, 15_000)).toBe(3);
    expect(textEpochs({ batch: 12 }, 5)).toBe(2000);
  });

  test("give more epochs to fewer examples, and three to MNIST", () => {
    expect(usualEpochs(60_000, 64)).toBe(3);
    // 21 steps per epoch.
    expect(usualEpochs(1347, 64)).toBe(96);
    expect(usualEpochs(40, 40)).toBe(2000);
    expect(usualEpochs(1000, "full")).toBe(2000);
  });
});
