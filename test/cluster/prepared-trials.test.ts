import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { createCpuBackend } from "../../src/backends/cpu/index.ts";
import { uploadPreparedTrials } from "../../src/cli/cluster/prepared-upload.ts";
import { commandOfTrial } from "../../src/cli/options/trial-options.ts";
import type { TrainFlags } from "../../src/cli/options/train-options.ts";
import { TrialData, trialFlags } from "../../src/cli/sweep/trial-data.ts";
import { trialSource } from "../../src/cli/sweep/trial-source.ts";
import { readPreparedList } from "../../src/cluster/sweeps/description.ts";
import { preparedSource } from "../../src/cluster/sweeps/prepared-source.ts";
import { withTrainedTrial, type TrialOptions, type TrialSource } from "../../src/cluster/sweeps/trial-training.ts";
import { fetchPreparedRun } from "../../src/cluster/training/prepared/index.ts";
import { HEADER, leaves } from "../cli/data/tables.ts";
import { writeIdx } from "../data/idx-files.ts";
import { Bucket } from "./bucket.ts";

const folder = mkdtempSync(join(tmpdir(), "wgrad-trials-"));
const backend = createCpuBackend();
const at = (name: string) => join(folder, name);
beforeAll(() => {
  writeFileSync(at("leaves.csv"), [HEADER, ...leaves(60, 1)].join("\n"));
  const rows = Array.from({ length: 60 }, (_, index) => [index, index % 7, 3 * index - 20 * (index % 7), index % 3]);
  writeFileSync(at("homes.csv"), ["area,rooms,price,floor", ...rows.map((row) => row.join(","))].join("\n"));
  const pixels = Uint8Array.from({ length: 40 * 36 }, (_, index) => (index * 37) % 256);
  writeFileSync(at("images"), writeIdx([40, 6, 6], pixels));
  const labels = Array.from({ length: 40 }, (_, index) => index % 3);
  writeFileSync(at("labels"), writeIdx([40], labels));
  writeFileSync(at("sums.txt"), Array.from({ length: 60 }, (_, index) => `${index} plus 1 is ${index + 1}\n`).join(""));
});
afterAll(() => {
  rmSync(folder, { recursive: true });
  backend.dispose();
});

/** The same trial as the command line and as a browser train it. */
async function sourcesOf(
  configuration: Readonly<Record<string, unknown>>,
  files: Readonly<Record<string, string>>,
): Promise<TrialSource[]> {
  const paths = new Map(Object.entries(files).map(([option, name]) => [option, at(name)]));
  const named = { ...configuration, ...files };
  const flags = commandOfTrial("test", named, paths).opts<TrainFlags>();
  const data = await new TrialData().of(flags, undefined);
  const run = { flags: trialFlags(flags, data, false), configuration: named, data, backend, start: undefined };
  const bucket = new Bucket();
  const planned = { flags, configuration: named, start: undefined, runs: [{}], hasRungs: false };
  const list = await uploadPreparedTrials(planned, bucket);
  const [prepared] = readPreparedList("list", bucket.objects.get(list.object)!, 1);
  return [trialSource(run), preparedSource("trial", await fetchPreparedRun(prepared!, bucket.get), backend)];
}

/** Trains a trial, or its first rung of two. @returns its result, model and checkpoint */
async function trained(source: TrialSource, more: Partial<TrialOptions> = {}) {
  const rest = async () => {};
  const options = { signal: new AbortController().signal, rest, ...more };
  const found = await withTrainedTrial(
    source,
    options,
    async ({ result: { seconds, ...result }, model, checkpoint }) => {
      expect(seconds).toBeGreaterThan(0);
      return { result, model: await model(), checkpoint: more.rung ? await checkpoint() : undefined };
    },
  );
  return found!;
}

const rung = (index: number) => ({ count: 2, reduction: 3, index });

test.each<[string, Record<string, unknown>, Record<string, string>]>([
  [
    "a table with classes",
    { label: "kind", drop: ["id"], hidden: [5], patience: 2, maxSteps: 60 },
    { csv: "leaves.csv" },
  ],
  [
    "two targets",
    { label: ["price", "floor"], hidden: [4], optimizer: "nesterov", maxSteps: 40 },
    { csv: "homes.csv" },
  ],
  [
    "images",
    {
      layers: "conv 4 3x3 relu, flatten, dense 3",
      augment: "flip=0.5",
      batch: 8,
      maxSteps: 12,
      gradientTolerance: 1e-9,
    },
    { images: "images", labels: "labels" },
  ],
  ["a text", { layers: "tied(gru 6 sequences=true) 17 6", context: 4, batch: 4, maxSteps: 12 }, { text: "sums.txt" }],
])("a prepared trial of %s has the results of the trial itself", async (_name, options, files) => {
  const [own, prepared] = await sourcesOf({ validation: 0.2, ...options }, files);
  const wanted = await trained(own!);
  const found = await trained(prepared!);
  expect(wanted.result.score).toEqual(expect.any(Number));
  expect(found.result).toEqual(wanted.result);
  expect(Buffer.from(found.model).equals(wanted.model)).toBe(true);
  expect(prepared!.identify()).toEqual(JSON.parse(JSON.stringify(own!.identify())));
  // Each continues from a checkpoint of the other.
  const first = await trained(prepared!, { rung: rung(0) });
  const { steps } = first.result;
  expect(steps).toBeLessThan(wanted.result.steps);
  const starts: number[] = [];
  const started = async (step: number) => void starts.push(step);
  for (const [before, after] of [
    [prepared!, own!],
    [own!, prepared!],
  ]) {
    const { checkpoint } = await trained(before!, { rung: rung(0) });
    const end = await trained(after!, { rung: rung(1), checkpoint, started });
    expect(Buffer.from(end.model).equals(wanted.model)).toBe(true);
  }
  expect(starts).toEqual([steps, steps]);
});
