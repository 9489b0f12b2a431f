/*
 * The same of what trains, and of what is written: an error that says what, where and what to do, or a result.
 */
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { createCpuBackend } from "../../src/backends/cpu/index.ts";
import { initialValues, saveModel, type TrainedModel } from "../../src/formats/model.ts";
import { saveOnnx } from "../../src/formats/onnx/index.ts";
import { loadPytorch, savePytorch } from "../../src/formats/pytorch.ts";
import { writeSafetensors } from "../../src/formats/safetensors.ts";
import { optimizers, sequential, dense } from "../../src/nn/index.ts";
import { loadMnist } from "../../src/node/index.ts";
import {
  createEvaluator,
  createTrainer,
  type EvaluatorOptions,
  type FitOptions,
  type TrainerOptions,
} from "../../src/train/index.ts";
import { clouds, smallModel } from "../train/examples.ts";
import { anything, attemptAsync, holds, numbers, shapes, type Outcomes } from "./refusals.ts";

const given = <Value>(value: unknown): Value => value as Value;

const backend = createCpuBackend();
const dataset = clouds(12);

/** As `holds`, for errors that come later. */
async function holdsLater<Value>(
  action: (value: Value) => Promise<unknown>,
  arbitrary: fc.Arbitrary<Value>,
): Promise<void> {
  const outcomes: Outcomes = { succeeded: 0, refused: 0 };
  await fc.assert(
    fc.asyncProperty(arbitrary, async (value) => {
      await attemptAsync(outcomes, () => action(value));
    }),
    { numRuns: 400 },
  );
  expect(outcomes.succeeded).toBeGreaterThan(0);
  expect(outcomes.refused).toBeGreaterThan(0);
}

/** Options of which some have any value, and the others valid ones. */
const options = (good: object, ...keys: readonly string[]) =>
  fc.record(Object.fromEntries(keys.map((key) => [key, anything])), { requiredKeys: [] }).chain((changes) =>
    // Each is also tried alone, since the first invalid option hides the others.
    fc.constantFrom(...Object.entries(changes).map(([key, value]) => ({ ...good, [key]: value })), {
      ...good,
      ...changes,
    }),
  );

test("createTrainer, and a step of its trainers", async () => {
  const good = { model: smallModel(), dataset, backend, learningRate: 0.01, batchSize: 4, epochs: 1, maxSteps: 1 };
  const keys = [
    "learningRate",
    "batchSize",
    "epochs",
    "maxSteps",
    "seed",
    "clipNorm",
    "microBatchSize",
    "snapshotSeconds",
  ];
  await holdsLater(
    async (chosen) => {
      const trainer = await createTrainer(given<TrainerOptions>(chosen));
      for await (const _ of trainer.fit({ maxSteps: 1 }));
      trainer.dispose();
    },
    options(good, ...keys, "loss", "optimizer", "schedule", "normalization"),
  );
});

test("the normalization of a trainer and an evaluator", async () => {
  const model = smallModel();
  const constants = fc.oneof(anything, fc.array(numbers, { maxLength: 5 }), fc.constant([1, 2, 3, 4]));
  await holdsLater(
    async (normalization) => {
      const evaluator = createEvaluator(
        given<EvaluatorOptions>({ model, backend, session: backend.createSession(), normalization }),
      );
      await evaluator.predict(Float32Array.of(1, 2, 3, 4));
    },
    fc.record({ scale: constants, offset: constants }),
  );
});

test("fit", async () => {
  const trainer = await createTrainer({
    model: smallModel(),
    dataset,
    backend,
    learningRate: 0.01,
    batchSize: 4,
    epochs: 2,
  });
  await holdsLater(
    async (chosen) => {
      for await (const { step } of trainer.fit(given<FitOptions>(chosen))) {
        expect(step).toBeGreaterThan(0);
        break;
      }
    },
    options({ every: 1, maxSteps: 2, stepsPerSubmit: 1 }, "every", "maxSteps", "stepsPerSubmit"),
  );
});

test("predict", async () => {
  const evaluator = createEvaluator({ model: smallModel(), backend, session: backend.createSession() });
  await holdsLater(
    (features) => evaluator.predict(given(features)),
    fc.oneof(
      fc.constant<unknown>(new Float32Array(8)),
      fc.float32Array({ maxLength: 9 }),
      fc.uint8Array({ maxLength: 9 }),
      anything,
    ),
  );
});

test("the sources of MNIST: only https, and with a time limit", async () => {
  const asked: string[] = [];
  const fetch = (address: unknown) => {
    asked.push(String(address));
    return Promise.reject(new Error("offline"));
  };
  const wrong = fc.constantFrom(
    "http://host.example/",
    "file:///etc/passwd",
    "",
    "host",
    "https://",
    "javascript:0",
    "data:,1",
  );
  const mirrors = fc
    .tuple(wrong, fc.boolean())
    .map(([mirror, last]) => (last ? ["https://host.example/", mirror] : [mirror]));
  const seconds = fc.constantFrom<unknown>(0, -1, NaN, Infinity, 86_401, "a", {}, () => 3);
  const chosen = fc.oneof(fc.record({ mirrors }), fc.record({ timeoutSeconds: seconds }));
  await fc.assert(
    fc.asyncProperty(chosen, async (changes) => {
      const outcomes = { succeeded: 0, refused: 0 };
      await attemptAsync(outcomes, () =>
        loadMnist({ cacheDirectory: "/nowhere", env: {}, fetch, log: () => {}, ...given<object>(changes) }),
      );
      expect(outcomes).toEqual({ succeeded: 0, refused: 1 });
    }),
  );
  expect(asked).toEqual([]);
});

test("writers", () => {
  const tensors = fc.record({
    name: fc.constantFrom("a", "b", "__metadata__", "__proto__"),
    shape: shapes,
    values: fc.float32Array({ maxLength: 8 }),
  });
  holds((list) => writeSafetensors(list, {}), fc.array(tensors, { maxLength: 3 }));
  const trained: TrainedModel = {
    model: sequential([dense(2)], { inputShape: [3] }),
    loss: "softmaxCrossEntropy",
    normalization: { scale: 1, offset: 0 },
    classes: ["a", "b"],
    step: 1,
    training: {},
  };
  const good = initialValues(trained.model);
  const parameters = fc.constantFrom("layers.0.weight", "layers.0.bias", "more").chain((name) =>
    fc.oneof(
      fc.constant(good),
      tensors.map(({ shape, values }) => ({ ...good, [name]: { shape, values } })),
    ),
  );
  for (const save of [saveModel, saveOnnx, savePytorch]) holds((values) => save(trained, values), parameters);
});

test("the options of loadPytorch", () => {
  const file = writeSafetensors([{ name: "a.weight", shape: [2, 4], values: new Float32Array(8) }], {});
  const list = fc.oneof(fc.constantFrom<unknown>(["a"], ["x", "y"], ["x"], undefined), anything);
  const some = fc.record(
    {
      activation: fc.oneof(fc.constantFrom<unknown>("relu", "tanh"), anything),
      layers: list,
      inputShape: fc.oneof(shapes as fc.Arbitrary<unknown>, fc.constantFrom<unknown>([4], [2, 2]), anything),
      normalization: fc.oneof(
        fc.constant<unknown>(undefined),
        fc.record({ scale: anything, offset: anything }),
        anything,
      ),
      classes: list,
      outputs: list,
      loss: fc.oneof(fc.constantFrom<unknown>("meanSquaredError", "softmaxCrossEntropy", undefined), anything),
    },
    { requiredKeys: [] },
  );
  holds(
    (chosen) => loadPytorch(file, "f", given(chosen)),
    some.chain((all) => fc.constantFrom({}, all, ...Object.entries(all).map(([key, value]) => ({ [key]: value })))),
  );
});

test("custom optimizers are accepted, and other values are refused", async () => {
  const good = { model: smallModel(), dataset, backend, learningRate: 0.01, batchSize: 4, epochs: 1 };
  await expect(createTrainer({ ...good, optimizer: given({}) })).rejects.toThrow(/optimizer: {} is not an optimizer/);
  const own = { ...optimizers.sgd(), name: "mine" };
  expect((await createTrainer({ ...good, optimizer: own })).totalSteps).toBe(3);
});
