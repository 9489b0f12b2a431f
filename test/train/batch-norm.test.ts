/*
 * Networks with batch normalization, trained by each backend.
 */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Backend } from "../../src/backends/backend.ts";
import { createCpuBackend } from "../../src/backends/cpu/index.ts";
import { unitScale } from "../../src/data/dataset.ts";
import { builtInDigits } from "../../src/data/digits.ts";
import { DivergedError } from "../../src/errors.ts";
import { loadModel, saveModel } from "../../src/formats/model.ts";
import { defineGraph } from "../../src/graph/graph.ts";
import { input } from "../../src/graph/leaves.ts";
import {
  activation,
  dense,
  flatten,
  layers,
  momentUpdates,
  sequential,
  type BatchMoments,
  type Layer,
} from "../../src/nn/index.ts";
import { add, square } from "../../src/ops/elementwise/index.ts";
import { gradients } from "../../src/ops/gradients.ts";
import { mean } from "../../src/ops/reduce/index.ts";
import { createEvaluator, createTrainer, type NonFiniteChoice, type TrainerOptions } from "../../src/train/index.ts";
import { backends } from "../backends.ts";
import { clouds, finish } from "./examples.ts";
import { notFiniteAt } from "./poison.ts";

const { batchNorm, conv2d, maxPool2d, residual } = layers;

const { train, test: held } = builtInDigits({ train: 400, test: 100 });

const relu = activation("relu");
const digitNetwork = () =>
  sequential(
    [
      conv2d(6, 3, { stride: 2, bias: false }),
      batchNorm(),
      relu,
      maxPool2d(2),
      residual([conv2d(6, 3, { padding: "same", bias: false }), batchNorm({ momentum: 0.3 }), relu]),
      flatten(),
      dense(16, { bias: false }),
      batchNorm({ affine: false }),
      relu,
      dense(10),
    ],
    { inputShape: [28, 28], seed: 2 },
  );

const digitRun = {
  dataset: train,
  normalization: unitScale,
  learningRate: 0.02,
  batchSize: 25,
  epochs: 5,
} satisfies Partial<TrainerOptions>;

const statesOf = (values: Readonly<Record<string, { readonly values: Float32Array }>>) =>
  Object.entries(values).filter(([name]) => name.includes("running"));

describe.each(backends)("on $name", ({ create }) => {
  let backend: Backend;
  beforeAll(async () => {
    backend = await create();
  });
  afterAll(() => backend.dispose());

  test("a network learns, uses its running statistics in evaluation, and a file of it gives the same bits", async () => {
    const model = digitNetwork();
    const trainer = await createTrainer({ ...digitRun, model, backend });
    await finish(trainer);
    const { accuracy } = await trainer.evaluate(held);
    // 0.79 was measured.
    expect(accuracy).toBeGreaterThan(0.75);
    const { parameters, step } = await trainer.snapshot();
    const facts = { loss: "softmaxCrossEntropy", classes: train.classes, normalization: unitScale } as const;
    const { model: loaded } = loadModel(saveModel({ ...facts, model, step, training: {} }, parameters), "file");
    const options = { normalization: unitScale, backend, session: backend.createSession() };
    const evaluator = createEvaluator({ ...options, model: loaded });
    const features = held.features.subarray(0, 5 * 784);
    const wanted = await trainer.predict(features);
    expect(await evaluator.predict(features)).toEqual(wanted);
    // An example's outputs do not depend on the others of its batch.
    expect(await evaluator.predict(features.subarray(0, 784))).toEqual(wanted.subarray(0, 10));
    trainer.dispose();
  });

  test.each<NonFiniteChoice>(["skip", "halve", "stop"])(
    "a step that is not finite changes no running statistics (%s)",
    async (onNonFinite) => {
      const poisoned: Layer = {
        config: { type: "poisoned" },
        build: ({ inputShape }) => ({
          outputShape: inputShape,
          apply: (x, { training }) => (training ? add(x, notFiniteAt(3, "NaN")) : x),
        }),
      };
      const model = sequential([poisoned, dense(5), batchNorm(), relu, dense(3)], { inputShape: [4] });
      const after = async (maxSteps: number) => {
        const options = {
          model,
          backend,
          dataset: clouds(60),
          learningRate: 0.1,
          batchSize: 6,
          epochs: 1,
          onNonFinite,
        };
        const trainer = await createTrainer({ ...options, maxSteps });
        await finish(trainer).catch((error: unknown) => expect(error).toBeInstanceOf(DivergedError));
        const { parameters } = await trainer.snapshot();
        trainer.dispose();
        return parameters;
      };
      const [before, refused] = [await after(3), await after(4)];
      expect(statesOf(before).length).toBe(2);
      expect(refused).toEqual(before);
      if (onNonFinite !== "skip") return;
      const later = await after(5);
      for (const [name, { values }] of statesOf(later)) {
        expect(values).not.toEqual(before[name]!.values);
        expect(values.every(Number.isFinite)).toBe(true);
      }
    },
  );
});

test("losses and running statistics of each step are the CPU's on the GPU and on WebAssembly", async () => {
  const run = async (backend: Backend) => {
    const trainer = await createTrainer({ ...digitRun, model: digitNetwork(), backend, maxSteps: 30 });
    const events = await finish(trainer, { every: 1 });
    const { parameters } = await trainer.snapshot();
    trainer.dispose();
    backend.dispose();
    return {
      losses: events.map(({ loss }) => loss),
      states: statesOf(parameters).flatMap(([, { values }]) => [...values]),
    };
  };
  const wanted = await run(createCpuBackend());
  expect(wanted.losses.at(-1)!).toBeLessThan(0.6 * wanted.losses[0]!);
  for (const { name, create } of backends.slice(1)) {
    const { losses, states } = await run(await create());
    const apart = losses.map((loss, step) => Math.abs(loss / wanted.losses[step]! - 1));
    // 2e-7 and 8.3e-6 were measured.
    expect(Math.max(...apart), name).toBeLessThan(1e-5);
    const shifts = states.map((value, index) => Math.abs(value - wanted.states[index]!) / Math.max(1, Math.abs(value)));
    expect(Math.max(...shifts), name).toBeLessThan(1e-4);
  }
});

describe("the dispatches that batchNorm adds between two convolutions with relu", () => {
  /** The number of dispatches of the outputs, and of a step with the running statistics. */
  async function dispatchesOf(backend: Backend, batch: number, norm: readonly Layer[]) {
    const convolution = conv2d(8, 3, { bias: false, padding: "same" });
    const model = sequential([convolution, ...norm, relu, convolution], { inputShape: [16, 16, 8] });
    const x = input("x", [batch, 16, 16, 8]);
    const moments: BatchMoments[] = [];
    const y = model.apply(x, { training: true, recordMoments: (one) => moments.push(one) });
    const found = gradients(mean(square(y)), [x, ...model.parameters]);
    const session = backend.createSession();
    const forward = await session.compile(defineGraph({ y }));
    const step = await session.compile(
      defineGraph({ y, ...Object.fromEntries(found.entries()) }, momentUpdates(moments)),
    );
    return [forward.dispatches.length, step.dispatches.length] as const;
  }

  test.each(backends.slice(1))("on $name", async ({ create }) => {
    const backend = await create();
    const added = async (batch: number) => {
      const without = await dispatchesOf(backend, batch, []);
      const found = await dispatchesOf(backend, batch, [batchNorm()]);
      return found.map((count, index) => count - without[index]!);
    };
    // Forward: mean, variance, and the values together with relu, which without it is part of the convolution. Backward:
    // two sums and the gradient. Two for the running statistics of all layers together.
    expect(await added(1)).toEqual([3, 8]);
    // Sums in parts take a second dispatch each; the GPU computes the last ones of the gradient together.
    expect(await added(16)).toEqual([5, backend.kind === "wasm" ? 12 : 11]);
    backend.dispose();
  });
});
