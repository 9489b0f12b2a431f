import { expect, test } from "vitest";
import { createCpuBackend } from "../src/backends/cpu/index.ts";
import { GraphError, OptionError } from "../src/errors.ts";
import { defineGraph } from "../src/graph/graph.ts";
import { constant, input, parameter, state, stepScalar } from "../src/graph/leaves.ts";
import { accuracy, clipByGlobalNorm, initializers, optimizers } from "../src/nn/index.ts";
import { elu, equal, leakyRelu, multiply, power } from "../src/ops/elementwise/index.ts";
import { takeBatch } from "../src/ops/gather/index.ts";
import { createTrainer, minimize, type TrainerOptions } from "../src/train/index.ts";
import { acquireBackend } from "./gpu.ts";
import { acquireWasmBackend } from "./wasm.ts";
import { clouds, finish, smallModel } from "./train/examples.ts";

const x = input("x", [4, 2]);
const w = parameter("w", [2]);
const start = constant(0, [], "uint32");
const session = createCpuBackend().createSession();

/** Everything that takes a number into a graph, and the error's `where` for a number that is too large. */
const places: Readonly<Record<string, (value: number) => unknown>> = {
  multiply: (value) => multiply(x, value),
  constant: (value) => constant([1, value]),
  "parameter w": (value) => parameter("w", [1], [value]),
  "state s": (value) => state("s", [1], [value]),
  leakyRelu: (value) => leakyRelu(x, value),
  elu: (value) => elu(x, value),
  power: (value) => power(x, value),
  "takeBatch scale": (scale) => takeBatch(x, { start, count: 1, scale }),
  "takeBatch offset": (offset) => takeBatch(x, { start, count: 1, offset }),
  greaterEqual: (value) => accuracy(input("y", [4, 1]), input("labels", [4], "uint32"), value),
  "clipByGlobalNorm maxNorm": (value) => clipByGlobalNorm([w], value),
  "adam epsilon": (epsilon) => optimizers.adam({ epsilon }),
  "rmsprop epsilon": (epsilon) => optimizers.rmsprop({ epsilon }),
  "adagrad epsilon": (epsilon) => optimizers.adagrad({ epsilon }),
  "lion weightDecay": (weightDecay) => optimizers.lion({ weightDecay }),
  "muon epsilon": (epsilon) => optimizers.muon({ epsilon }),
  "muon rateOfOthers": (rateOfOthers) => optimizers.muon({ rateOfOthers }),
  "adamW weightDecay": (weightDecay) => optimizers.adamW({ weightDecay }),
  "constant initializer": (value) => initializers.constant(value),
  "normal initializer": (value) => initializers.normal(value),
  "uniform initializer": (value) => initializers.uniform(value),
  "given initializer": (value) => initializers.given([0, value]),
};

test.each(Object.entries(places))("%s accepts the largest float32 number and refuses a larger one", (where, make) => {
  make(3.4028234e38);
  for (const value of [1e39, 3.4028236e38]) {
    expect(() => make(value)).toThrow(
      new RegExp(`^${where}: .*${String(value).replace("+", "\\+")}.*range of float32`),
    );
  }
});

const options = (changes: Partial<TrainerOptions>): TrainerOptions => ({
  model: smallModel(),
  dataset: clouds(20),
  backend: createCpuBackend(),
  learningRate: 0.1,
  batchSize: 10,
  epochs: 2,
  ...changes,
});

test.each(["clipNorm", "learningRate", "lossScale"] as const)(
  "%s of a trainer must be a number above 0 in the range of float32",
  async (name) => {
    const precision = name === "lossScale" ? { precision: "float16" as const } : {};
    for (const value of [1e39, 1e-46, 1e-40, 0, NaN]) {
      await expect(createTrainer(options({ ...precision, [name]: value }))).rejects.toThrow(
        new RegExp(`^${name}: .* is out of range. Give a finite number above 0 in the range of float32`),
      );
    }
  },
);

test.each(["learningRate", "smallestStep"])("%s of minimize must be in the range of float32", async (name) => {
  const run = minimize(multiply(w, w), { session, parameters: [w], learningRate: 1, maxSteps: 1, [name]: 1e39 });
  await expect(run).rejects.toThrow(OptionError);
});

test("refuses numbers that float32 rounds to an excluded 0 or 1", () => {
  expect(() => optimizers.adam({ epsilon: 1e-50 })).toThrow(/adam epsilon: 1e-50 is out of range/);
  expect(() => optimizers.adam({ beta2: 1 - 1e-9 })).toThrow(/adam beta2: .* is out of range/);
});

test.each([-1, 1.5, 2 ** 32])("%d is not a whole number of uint32", (value) => {
  const labels = input("labels", [4], "uint32");
  expect(() => equal(labels, value)).toThrow(/equal.*uint32 cannot represent the number/);
  expect(() => constant(value, [], "uint32")).toThrow(GraphError);
});

test.each([
  ["cpu", () => createCpuBackend()],
  ["webgpu", () => acquireBackend()],
  ["wasm", () => acquireWasmBackend()],
])("a learning rate outside the range of float32 stops the run on %s, with the step", async (_, create) => {
  const backend = await create();
  const trainer = await createTrainer(options({ backend, learningRate: 1, schedule: (step) => (step < 3 ? 1 : 1e40) }));
  await expect(finish(trainer, { every: 1 })).rejects.toThrow(
    /learningRate at step 3, counted from 0: float32 cannot represent the number 1e\+40/,
  );
  trainer.dispose();
  const scalar = await backend.createSession().compile(
    defineGraph({
      y: multiply(
        w,
        stepScalar("rate", () => NaN),
      ),
    }),
  );
  await expect(scalar.run(0, 1)).rejects.toThrow(/^rate at step 0/);
  backend.dispose();
});
