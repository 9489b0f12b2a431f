import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Backend } from "../../src/backends/backend.ts";
import { createCpuBackend } from "../../src/backends/cpu/index.ts";
import { OptionError } from "../../src/errors.ts";
import { loadCheckpoint, saveCheckpoint } from "../../src/formats/checkpoint.ts";
import { loadModel, saveModel } from "../../src/formats/model.ts";
import { dense, optimizers, sequential, type Optimizer } from "../../src/nn/index.ts";
import {
  averagedParameters,
  createEvaluator,
  createTrainer,
  type ParameterChoice,
  type ParameterGroup,
  type Snapshot,
  type TrainerOptions,
} from "../../src/train/index.ts";
import { backends } from "../backends.ts";
import { acquireBackend, acquireLosableBackend } from "../gpu.ts";
import { clouds, finish } from "./examples.ts";

const makeModel = () =>
  sequential([dense(6, { activation: "tanh" }), dense(5, { activation: "tanh" }), dense(3)], { inputShape: [4] });

const optionsFor = (backend: Backend, changes: Partial<TrainerOptions> = {}): TrainerOptions => ({
  model: makeModel(),
  dataset: clouds(60),
  backend,
  learningRate: 0.02,
  batchSize: 10,
  epochs: 2,
  ...changes,
});

/** Trains with the options and returns the state. */
async function trained(options: TrainerOptions) {
  const trainer = await createTrainer(options);
  await finish(trainer);
  const snapshot = await trainer.snapshot();
  trainer.dispose();
  return snapshot;
}

const parameterNames = [0, 1, 2].flatMap((layer) => [`layers.${layer}.weight`, `layers.${layer}.bias`]);

const valuesOf = ({ parameters }: Snapshot, name: string) => [...parameters[name]!.values];

const initialOf = (name: string) => {
  const found = makeModel().parameters.find(({ attributes }) => (attributes as { name: string }).name === name)!;
  return [...(found.attributes as unknown as { initial: Float32Array }).initial];
};

describe.each(backends)("parameters on $name", ({ create }) => {
  let backend: Backend;
  beforeAll(async () => {
    backend = await create();
  });
  afterAll(() => backend.dispose());

  describe("frozen", () => {
    const choices: [string, Optimizer, ParameterChoice, string[]][] = [
      ["the path of a layer", optimizers.adamW(), "layers.1", ["layers.1.weight", "layers.1.bias"]],
      ["names", optimizers.muon(), ["layers.0.bias", "layers.2.weight"], ["layers.0.bias", "layers.2.weight"]],
      ["a function", optimizers.sgd(), (name, { shape }) => name < "layers.1" && shape[0] === 4, ["layers.0.weight"]],
    ];
    test.each(choices)("by %s keep their bits, and the others train", async (_, optimizer, frozen, still) => {
      const snapshot = await trained(optionsFor(backend, { frozen, optimizer }));
      expect(Object.keys(snapshot.parameters)).toEqual(parameterNames);
      for (const name of parameterNames) {
        const isStill = valuesOf(snapshot, name).every((value, index) => value === initialOf(name)[index]);
        expect([name, isStill]).toEqual([name, still.includes(name)]);
      }
    });

    test("continue from a snapshot with the same bits", async () => {
      const options = optionsFor(backend, { frozen: "layers.0" });
      const whole = await createTrainer(options);
      await finish(whole, { maxSteps: 5 });
      const middle = await whole.snapshot();
      expect(middle.optimizer["adam.firstMoment"]!.values.length).toBe(4 * 64);
      await finish(whole);
      const resumed = await trained({ ...options, model: makeModel(), resumeFrom: middle });
      expect(resumed).toEqual(await whole.snapshot());
      whole.dispose();
    });
  });

  describe("groups", () => {
    const groups: ParameterGroup[] = [
      { parameters: "layers.0", rateFactor: 0.25 },
      { parameters: (name) => name.endsWith("2.bias"), rateFactor: 4 },
    ];

    test("multiply the change of a step of gradient descent", async () => {
      const changes = { optimizer: optimizers.sgd(), epochs: 1, maxSteps: 1 };
      const plain = await trained(optionsFor(backend, changes));
      const grouped = await trained(optionsFor(backend, { ...changes, parameterGroups: groups }));
      for (const name of parameterNames) {
        const factor = name.startsWith("layers.0") ? 0.25 : name === "layers.2.bias" ? 4 : 1;
        const initial = initialOf(name);
        valuesOf(grouped, name).forEach((value, index) => {
          const change = valuesOf(plain, name)[index]! - initial[index]!;
          expect(Math.abs(value - initial[index]! - factor * change)).toBeLessThan(3e-7);
        });
      }
    });

    test("multiply the weight decay", async () => {
      const withoutFirst = optimizers.adamW({
        weightDecay: 0.5,
        decays: ({ shape }) => shape.length === 2 && shape[0] !== 4,
      });
      const wanted = await trained(optionsFor(backend, { optimizer: withoutFirst }));
      const parameterGroups = [{ parameters: "layers.0", decayFactor: 0 }];
      const optimizer = optimizers.adamW({ weightDecay: 0.5 });
      const found = await trained(optionsFor(backend, { optimizer, parameterGroups }));
      expect(found).toEqual(wanted);
      expect(found).not.toEqual(await trained(optionsFor(backend, { optimizer })));
    });
  });

  describe("averages", () => {
    const averageDecay = 0.6;
    const averaged: Partial<TrainerOptions> = { averageDecay, optimizer: optimizers.lion({ weightDecay: 0.1 }) };

    test.each<[string, Partial<TrainerOptions>]>([
      ["of a whole step", averaged],
      ["of a divided step", { ...averaged, microBatchSize: 4 }],
      ["with muon, and without frozen parameters", { ...averaged, optimizer: optimizers.muon(), frozen: "layers.1" }],
    ])("%s follow the parameters", async (_, changes) => {
      const trainer = await createTrainer(optionsFor(backend, changes));
      const wanted = Object.fromEntries(parameterNames.map((name) => [name, initialOf(name)]));
      for (let step = 0; step < trainer.totalSteps; step++) {
        await finish(trainer, { maxSteps: 1 });
        const rate = 1 - Math.min(averageDecay, (1 + step) / (10 + step));
        const snapshot = await trainer.snapshot();
        for (const name of parameterNames) {
          const current = valuesOf(snapshot, name);
          wanted[name] = wanted[name]!.map((average, index) => average + rate * (current[index]! - average));
        }
      }
      const found = averagedParameters(await trainer.snapshot());
      for (const name of parameterNames) {
        expect(found[name]!.shape).toEqual((await trainer.snapshot()).parameters[name]!.shape);
        found[name]!.values.forEach((value, index) =>
          expect(Math.abs(value - wanted[name]![index]!)).toBeLessThan(1e-6),
        );
      }
      trainer.dispose();
    });

    test("are used by evaluate and predict on demand, as a saved model with them is", async () => {
      const trainer = await createTrainer(optionsFor(backend, averaged));
      await finish(trainer);
      const dataset = clouds(31, { seed: 3 });
      const snapshot = await trainer.snapshot();
      const trainedModel = {
        model: makeModel(),
        loss: "softmaxCrossEntropy",
        normalization: { scale: 1, offset: 0 },
        classes: dataset.classes,
        step: snapshot.step,
        training: {},
      } as const;
      const { model } = loadModel(saveModel(trainedModel, averagedParameters(snapshot)), "average");
      const evaluator = createEvaluator({ model, backend, session: backend.createSession() });
      const [own, average] = [await trainer.evaluate(dataset), await trainer.evaluate(dataset, { average: true })];
      expect(average).toEqual(await evaluator.evaluate(dataset));
      expect(average.loss).not.toBe(own.loss);
      const outputs = await trainer.predict(dataset.features, { average: true });
      expect(outputs).toEqual(await evaluator.predict(dataset.features));
      expect(await trainer.predict(dataset.features)).not.toEqual(outputs);
      expect(await trainer.evaluate(dataset)).toEqual(own);
      trainer.dispose();
    });

    test("do not change training, and continue from a snapshot with the same bits", async () => {
      const plain = await createTrainer(optionsFor(backend, { optimizer: averaged.optimizer! }));
      const whole = await createTrainer(optionsFor(backend, averaged));
      await finish(whole, { maxSteps: 5 });
      const middle = await whole.snapshot();
      await finish(whole);
      const snapshot = await trained(optionsFor(backend, { ...averaged, resumeFrom: middle }));
      expect(snapshot).toEqual(await whole.snapshot());
      await finish(plain);
      expect(snapshot.parameters).toEqual((await plain.snapshot()).parameters);
      plain.dispose();
      whole.dispose();
    });

    test("do not change in a step that is left out", async () => {
      const dataset = clouds(60);
      dataset.features[17] = NaN;
      const options = { ...averaged, dataset, batchSize: "full", epochs: 1, onNonFinite: "skip" } as const;
      const snapshot = await trained(optionsFor(backend, options));
      for (const name of parameterNames) {
        expect([...averagedParameters(snapshot)[name]!.values]).toEqual(initialOf(name));
      }
    });
  });
});

describe("muon with frozen parameters, groups and averages", () => {
  const options = {
    optimizer: optimizers.muon({ weightDecay: 0.1 }),
    frozen: "layers.1.weight",
    parameterGroups: [{ parameters: "layers.0", rateFactor: 0.5, decayFactor: 3 }],
    averageDecay: 0.8,
  };
  const dataset = clouds(20, { seed: 4 });

  test("continues after a lost device with the same bits and averages", async () => {
    const { backend, lose } = await acquireLosableBackend();
    const plain = await createTrainer(optionsFor(backend, options));
    await finish(plain);
    const wanted = [await plain.snapshot(), await plain.evaluate(dataset, { average: true })];
    plain.dispose();
    let recoveries = 0;
    const trainer = await createTrainer(optionsFor(backend, { ...options, onRecovery: () => recoveries++ }));
    for await (const { step } of trainer.fit({ every: 1, stepsPerSubmit: 2 })) if (step === 6) lose();
    expect([await trainer.snapshot(), await trainer.evaluate(dataset, { average: true })]).toEqual(wanted);
    expect(recoveries).toBe(1);
    trainer.dispose();
    backend.dispose();
  });

  test("continues from a checkpoint file with the same bits", async () => {
    const backend = createCpuBackend();
    const whole = await createTrainer(optionsFor(backend, options));
    await finish(whole, { maxSteps: 5 });
    const { unreported, ...middle } = await whole.snapshot();
    const trainedModel = {
      model: makeModel(),
      loss: "softmaxCrossEntropy",
      normalization: { scale: 1, offset: 0 },
      classes: dataset.classes,
      step: 5,
      training: {},
    } as const;
    const bytes = saveCheckpoint(trainedModel, { ...middle, unreported: unreported!, run: {} });
    const { state } = loadCheckpoint(bytes, "checkpoint");
    await finish(whole);
    const resumeFrom = state;
    expect(await trained(optionsFor(backend, { ...options, resumeFrom }))).toEqual(await whole.snapshot());
    const withoutAverages = createTrainer(optionsFor(backend, { ...options, averageDecay: undefined, resumeFrom }));
    await expect(withoutAverages).rejects.toThrow(/average\.layers\.0\.weight: this trainer does not have it/);
    whole.dispose();
  });
});

describe("the dispatches of a step on webgpu", () => {
  let backend: Backend;
  beforeAll(async () => {
    backend = await acquireBackend();
  });
  afterAll(() => backend.dispose());

  async function dispatchesOf(changes: Partial<TrainerOptions>) {
    const trainer = await createTrainer(optionsFor(backend, changes));
    const { dispatches } = trainer;
    trainer.dispose();
    return dispatches;
  }

  test.each([
    ["sgd", optimizers.sgd()],
    ["adam", optimizers.adam()],
    ["lion", optimizers.lion({ weightDecay: 0.1 })],
    ["muon", optimizers.muon({ weightDecay: 0.1 })],
  ])("are as many with groups and averages: %s", async (_, optimizer) => {
    const plain = await dispatchesOf({ optimizer });
    const parameterGroups = [{ parameters: ["layers.0", "layers.2.bias"], rateFactor: 0.5 }];
    const changed = await dispatchesOf({ optimizer, parameterGroups, averageDecay: 0.9 });
    expect(changed.length).toBe(plain.length);
  });

  test("compute no gradient of frozen parameters, nor of the layers before them", async () => {
    const flopsOf = async (frozen?: ParameterChoice) => {
      const dispatches = await dispatchesOf(frozen === undefined ? {} : { frozen });
      return dispatches.reduce((sum, { flops, kernel }) => sum + (kernel.includes("matmul") ? flops : 0), 0);
    };
    // Multiply-adds of an example: gradients of weights 24, 30 and 15, and of inputs, from the second layer on, 30 and 15.
    const [all, first, two] = [await flopsOf(), await flopsOf("layers.0"), await flopsOf(["layers.0", "layers.1"])];
    expect(all - first).toBeGreaterThanOrEqual(2 * 10 * (24 + 30));
    expect(first - two).toBeGreaterThanOrEqual(2 * 10 * (30 + 15));
  });
});

describe("options for parameters that are refused", () => {
  const custom: Optimizer = { name: "own", options: {}, update: (...given) => optimizers.sgd().update(...given) };
  test.each<[Partial<TrainerOptions>, RegExp]>([
    [{ frozen: "layers.3" }, /frozen: .*no parameters named "layers\.3"\. Choose from layers\.0\.weight, /],
    [{ frozen: "layers.1.weigh" }, /no parameters named "layers\.1\.weigh"/],
    [{ frozen: 3 as never }, /frozen: 3 does not choose parameters/],
    [{ frozen: () => true }, /all parameters are frozen/],
    [{ parameterGroups: {} as never }, /parameterGroups: .*is not a list/],
    [{ parameterGroups: [{ parameters: "x" }] }, /parameterGroups\[0\]: .*"x"/],
    [{ parameterGroups: [{ parameters: "layers.0", rateFactor: 0 }] }, /parameterGroups\[0\] rateFactor/],
    [{ parameterGroups: [{ parameters: "layers.0", decayFactor: -1 }] }, /parameterGroups\[0\] decayFactor/],
    [
      { parameterGroups: [{ parameters: "layers.0", learningRate: 0.1 } as never] },
      /parameterGroups\[0\]: there is no option "learningRate"\. Choose among parameters, rateFactor, decayFactor/,
    ],
    [
      { parameterGroups: [{ parameters: "layers.0", decayFactor: 2 }] },
      /decayFactor: the optimizer adam has no weight/,
    ],
    [
      { parameterGroups: [{ parameters: "layers.0" }, { parameters: ["layers.1", "layers.0.bias"] }] },
      /parameterGroups\[1\]: layers\.0\.bias is already in another group/,
    ],
    [
      { parameterGroups: [{ parameters: "layers.0", rateFactor: 2 }], optimizer: custom },
      /the optimizer "own" does not apply factors/,
    ],
    [{ averageDecay: 1 }, /averageDecay: 1 is out of range/],
    [{ averageDecay: 0 }, /averageDecay: 0 is out of range/],
  ])("%o", async (changes, message) => {
    const making = createTrainer(optionsFor(createCpuBackend(), changes));
    await expect(making).rejects.toThrow(OptionError);
    await expect(making).rejects.toThrow(message);
  });

  test("an average that is not kept", async () => {
    const trainer = await createTrainer(optionsFor(createCpuBackend()));
    await expect(trainer.evaluate(clouds(3), { average: true })).rejects.toThrow(/Give createTrainer .*averageDecay/);
    await expect(trainer.predict(new Float32Array(4), { average: true })).rejects.toThrow(OptionError);
    trainer.dispose();
  });
});
