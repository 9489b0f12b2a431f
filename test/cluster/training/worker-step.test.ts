import { expect, test } from "vitest";
import { workerOptions, workerStepText } from "../../../src/cli/cluster/worker-options.ts";
import type { SettledFlags } from "../../../src/cli/options/defaults.ts";
import type { Run } from "../../../src/cli/training/training-run.ts";
import { workerStep } from "../../../src/cluster/training/worker-step.ts";
import { clouds } from "../../train/examples.ts";

const step = { batchSize: 64, learningRate: 0.004 };

test.each([
  ["adam", { workers: 4 }, { batchSize: 16, learningRate: 0.002 }],
  ["muon", { workers: 4 }, { batchSize: 16, learningRate: 0.002 }],
  ["sgd", { workers: 4 }, { batchSize: 16, learningRate: 0.004 }],
  ["nesterov", { workers: 16 }, { batchSize: 4, learningRate: 0.004 }],
  ["adamW", { workers: 1 }, step],
  ["adamW", { workers: 5, workerBatch: 64 }, step],
  ["adamW", { workers: 5, workerBatch: 16 }, { batchSize: 16, learningRate: 0.002 }],
  ["sgd", { workers: 5 }, { batchSize: 12, learningRate: 0.004 }],
  ["sgd", { workers: 100 }, { batchSize: 1, learningRate: 0.004 }],
])("with %s, workers of %o have the step %o", (optimizer, sharing, wanted) => {
  expect(workerStep(step, { ...sharing, optimizer })).toEqual(wanted);
});

const runOf = (flags: Partial<SettledFlags>): Pick<Run, "flags" | "data"> =>
  ({
    flags: { lr: 0.004, optimizer: "adam", warmup: 0, validation: 0, ...flags },
    data: { kind: "examples", train: clouds(160) },
  }) as Pick<Run, "flags" | "data">;

test("the options of a worker train on as many examples as those of the run", () => {
  const run = runOf({ batch: 40, maxSteps: 100, warmup: 6, epochs: 50 });
  expect(workerOptions(run, 4)).toEqual({ batch: 10, lr: 0.002, epochs: 50, maxSteps: 400, warmup: 24 });
  // 40 / 3 is rounded down: 100 · 40 / 13 = 307.7 steps.
  expect(workerOptions(run, 3)).toMatchObject({ batch: 13, maxSteps: 308, warmup: 18, epochs: 50 });
});

test("the default number of epochs is that of one machine", () => {
  // 2,000 steps of the default batch of 64, of which the data have two.
  expect(workerOptions(runOf({}), 4)).toEqual({ batch: 16, lr: 0.002, epochs: 1000 });
  expect(workerOptions(runOf({ batch: "full", epochs: 7 }), 4)).toEqual({ batch: 40, lr: 0.002, epochs: 7 });
});

test("nothing changes for one worker, or for workers that take the whole batch", () => {
  expect(workerOptions(runOf({ batch: 40, epochs: 2 }), 1)).toEqual({});
  expect(workerOptions(runOf({ batch: 40, epochs: 2 }), 4, 40)).toEqual({});
  expect(workerStepText(runOf({ batch: 40 }), {})).toEqual([]);
});

test("the text names the rate only where it differs", () => {
  const [adam, sgd] = (["adam", "sgd"] as const).map((optimizer) => {
    const run = runOf({ batch: 40, epochs: 2, optimizer });
    return workerStepText(run, workerOptions(run, 4)).join("\n");
  });
  expect(adam).toMatch(/10 examples of a batch of 40, learning rate 0\.002 instead of 0\.004$/);
  expect(sgd).toMatch(/10 examples of a batch of 40$/);
});
