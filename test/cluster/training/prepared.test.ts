import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createCpuBackend } from "../../../src/backends/cpu/index.ts";
import { uploadPrepared } from "../../../src/cli/cluster/prepared-upload.ts";
import { loadTrainingSource } from "../../../src/cli/data/data-source.ts";
import { settledFlags } from "../../../src/cli/options/defaults.ts";
import type { TrainFlags } from "../../../src/cli/options/train-options.ts";
import { commandOfTrial } from "../../../src/cli/options/trial-options.ts";
import { prepare, type Run } from "../../../src/cli/training/training-run.ts";
import { messageBytes } from "../../../src/cluster/messages.ts";
import { createPreparedTrainer, fetchPreparedRun } from "../../../src/cluster/training/prepared/index.ts";
import type { Trainer } from "../../../src/train/index.ts";
import { HEADER, homes, leaves } from "../../cli/data/tables.ts";
import { Bucket } from "../bucket.ts";

const folder = mkdtempSync(join(tmpdir(), "wgrad-prepared-"));
const backend = createCpuBackend();

const write = (name: string, contents: string | Uint8Array): string => {
  const path = join(folder, name);
  writeFileSync(path, contents);
  return path;
};

/** An IDX file of unsigned bytes. */
const idx = (shape: readonly number[], valueAt: (index: number) => number): Uint8Array => {
  const header = [0, 0, 8, shape.length, ...shape.flatMap((size) => [0, 0, size >> 8, size & 255])];
  const count = shape.reduce((product, size) => product * size, 1);
  return Uint8Array.from([...header, ...Array.from({ length: count }, (_, index) => valueAt(index))]);
};

const files = new Map<string, string>();
beforeAll(() => {
  files.set("leaves", write("leaves.csv", [HEADER, ...leaves(60, 1)].join("\n")));
  files.set("homes", write("homes.csv", ["area,rooms,price", ...homes(80, 1)].join("\n")));
  files.set(
    "images",
    write(
      "images",
      idx([40, 6, 6], (index) => (index * 37) % 256),
    ),
  );
  files.set(
    "labels",
    write(
      "labels",
      idx([40], (index) => index % 3),
    ),
  );
  files.set("names", write("names.txt", "anna\nbella\nclara\ndora\nemma\nfiona\ngina\nhanna\n"));
});
afterAll(() => {
  rmSync(folder, { recursive: true });
  backend.dispose();
});

async function runOf(configuration: Readonly<Record<string, unknown>>, paths: Readonly<Record<string, string>>) {
  const found = new Map(Object.entries(paths).map(([option, name]) => [option, files.get(name)!]));
  const flags = commandOfTrial("test", { ...configuration, ...paths }, found).opts<TrainFlags>();
  const data = await loadTrainingSource(flags);
  const run: Run = { flags: settledFlags(flags, data), configuration, data, backend, start: undefined };
  const subject = await prepare(run);
  const bucket = new Bucket();
  return { subject, bucket, reference: await uploadPrepared(run, subject, bucket) };
}

/** The values after some steps from the same start, in the order of the model. */
async function valuesAfter(trainer: Trainer, steps: number, from: Trainer): Promise<Float32Array[]> {
  const { parameters } = await from.snapshot();
  const { step, optimizer } = await trainer.snapshot();
  trainer.restore({ step, optimizer, parameters });
  for await (const _ of trainer.fit({ maxSteps: steps, every: steps }));
  const after = await trainer.snapshot();
  return Object.values(after.parameters).map(({ values }) => Float32Array.from(values));
}

interface Description {
  readonly settings: object;
  readonly data: { readonly arrays: { readonly features: object; readonly labels: object } };
}

const table = { drop: ["id"], hidden: [5], batch: 16, epochs: 4 };

describe("a prepared run", () => {
  test.each<[string, Record<string, unknown>, Record<string, string>]>([
    [
      "a table with classes",
      { ...table, label: "kind", dropout: 0.25, warmup: 3, schedule: "oneCycle", rise: 0.4, classWeights: "balanced" },
      { csv: "leaves" },
    ],
    [
      "a table with targets",
      { label: "price", hidden: [4], optimizer: "nesterov", momentumForm: "pytorch", clipNorm: 0.5, lr: 0.01 },
      { csv: "homes" },
    ],
    [
      "images",
      {
        layers: "flatten, dense 5 tanh, dense 3",
        augment: "flip=0.5,shift=1",
        batch: 8,
        seed: 4,
        onNan: "skip",
        activationStorage: "float16",
      },
      { images: "images", labels: "labels" },
    ],
    [
      "documents",
      { layers: "tied(gru 6 sequences=true) 15 6", context: 4, textLines: true, batch: 2, maxSteps: 9, validation: 0 },
      { text: "names" },
    ],
  ])("of %s makes the same steps as the run itself", async (_name, configuration, paths) => {
    const { subject, bucket, reference } = await runOf(configuration, paths);
    const prepared = await fetchPreparedRun(reference, bucket.get);
    const { trainer } = await createPreparedTrainer(prepared, backend);
    const wanted = subject.trainer;
    expect([trainer.totalSteps, trainer.batchSize]).toEqual([wanted.totalSteps, wanted.batchSize]);
    const steps = Math.min(7, wanted.totalSteps);
    const found = await valuesAfter(trainer, steps, wanted);
    const before = Object.values((await wanted.snapshot()).parameters).map(({ values }) => Float32Array.from(values));
    expect(found).not.toEqual(before);
    expect(found).toEqual(await valuesAfter(wanted, steps, wanted));
    for (const each of [trainer, wanted]) each.dispose();
  });

  test("is stored once, and without names of files", async () => {
    const { subject, bucket, reference } = await runOf({ ...table, label: "kind" }, { csv: "leaves" });
    // The description, the model, and two arrays.
    expect(bucket.objects.size).toBe(4);
    const text = new TextDecoder("latin1").decode(bucket.objects.get(reference.object));
    expect(JSON.parse(text)).toMatchObject({ format: 1, settings: { batchSize: 16, epochs: 4, seed: 1 } });
    subject.trainer.dispose();
  });

  test.each<[string, (description: Description) => object, RegExp]>([
    ["another format", (all) => ({ ...all, format: 2 }), /format is 2, not 1/],
    ["code", (all) => ({ ...all, code: "x" }), /there is no field "code"/],
    [
      "an optimizer that does not exist",
      (all) => ({ ...all, settings: { ...all.settings, optimizer: { name: "constructor" } } }),
      /optimizer: name is "constructor", not one of/,
    ],
    [
      "a learning rate that is no number",
      (all) => ({ ...all, settings: { ...all.settings, learningRate: null } }),
      /learningRate is null, not a finite number/,
    ],
    [
      "data without labels",
      (all) => ({ ...all, data: { ...all.data, arrays: { features: all.data.arrays.features } } }),
      /the data have no labels of type uint32/,
    ],
    [
      "labels in place of features",
      (all) => ({ ...all, data: { ...all.data, arrays: { features: all.data.arrays.labels } } }),
      /the data have no features of type uint8 or float32/,
    ],
  ])("with %s is refused", async (_name, change, message) => {
    const { subject, bucket, reference } = await runOf({ ...table, label: "kind" }, { csv: "leaves" });
    subject.trainer.dispose();
    const description = JSON.parse(new TextDecoder().decode(bucket.objects.get(reference.object))) as Description;
    const changed = await bucket.put("changed", messageBytes(change(description)));
    await expect(fetchPreparedRun(changed, bucket.get)).rejects.toThrow(message);
  });
});
