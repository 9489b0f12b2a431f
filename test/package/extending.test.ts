/*
 * Custom layers, activations and losses, through the public entry only.
 */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  activation,
  createEvaluator,
  createTrainer,
  createCpuBackend,
  DataError,
  defineGraph,
  dense,
  gradients,
  GraphError,
  initializers,
  loadModel,
  makeActivation,
  makeClassificationDataset,
  makeRegressionDataset,
  mean,
  modelFromConfig,
  multiply,
  OptionError,
  optimizers,
  parameter,
  saveModel,
  sequential,
  square,
  subtract,
  sum,
  WgradError,
  type Backend,
  type CustomActivation,
  type Layer,
  type LayerConfig,
  type RegressionLoss,
  type Tensor,
  type TrainedModel,
  type TrainerOptions,
} from "../../src/index.ts";
import { backends } from "../backends.ts";
import { gaussian, huber, scaleShift, sine, smoothed, softsign } from "./custom-parts.ts";

const count = 64;
const features = Float32Array.from({ length: count }, (_, index) => (2 * index) / (count - 1) - 1);
const curve = makeRegressionDataset({
  name: "a curve",
  features,
  shape: [1],
  targets: features.map((x) => Math.sin(4 * x)),
  outputs: ["y"],
});
const sides = makeClassificationDataset({
  name: "the sides of a curve",
  features: Float32Array.from({ length: 2 * count }, (_, index) => Math.sin(index)),
  shape: [2],
  labels: Uint32Array.from({ length: count }, (_, row) => Number(Math.sin(2 * row) > Math.sin(2 * row + 1))),
  classes: ["below", "above"],
});

const layers = () => [
  dense(16, { activation: softsign }),
  scaleShift(1),
  dense(16),
  activation(sine),
  dense(8, { activation: gaussian }),
  dense(1),
];
const build = () => sequential(layers(), { inputShape: [1] });
const options = { dataset: curve, loss: huber, learningRate: 0.01, batchSize: "full", epochs: 150 } as const;

/** The losses of every step of a run. */
async function lossesOf(backend: Backend, changes: Partial<TrainerOptions> = {}): Promise<number[]> {
  const trainer = await createTrainer({ model: build(), backend, ...options, ...changes });
  const losses: number[] = [];
  for await (const { loss } of trainer.fit({ every: 1 })) losses.push(loss);
  trainer.dispose();
  return losses;
}

const functions: readonly [string, (x: Tensor) => Tensor][] = [gaussian, softsign, sine].map(({ name, apply }) => [
  name,
  apply,
]);

const points = Float32Array.from([-4, -1.5, -0.3, 0.2, 0.9, 3]);

async function valueAndSlope(backend: Backend, f: (x: Tensor) => Tensor, at: ArrayLike<number>) {
  const x = parameter("x", [at.length], at);
  const value = f(x);
  const executable = await backend
    .createSession()
    .compile(defineGraph({ value, slope: gradients(sum(value), [x])[0] }));
  await executable.run(0, 1);
  return { value: await executable.read("value"), slope: await executable.read("slope") };
}

test.each(functions)("%s: the derivative is that of the function", async (_name, f) => {
  const judge = createCpuBackend({ precision: "float64" });
  const { slope } = await valueAndSlope(judge, f, points);
  const step = 2 ** -17;
  const [above, below] = [points.map((x) => x + step), points.map((x) => x - step)];
  const [high, low] = [await valueAndSlope(judge, f, above), await valueAndSlope(judge, f, below)];
  // The error of central differences is step² · f‴ / 6, below 1e-9 here, plus 2⁻⁵³ / step.
  slope.forEach((value, index) =>
    expect(value).toBeCloseTo((high.value[index]! - low.value[index]!) / (above[index]! - below[index]!), 7),
  );
});

describe.each(backends)("on $name", ({ create }) => {
  let backend: Backend;
  beforeAll(async () => {
    backend = await create();
  });
  afterAll(() => backend?.dispose());

  test.each(functions)("%s and its derivative equal the formulas", async (name, f) => {
    const judged = await valueAndSlope(createCpuBackend({ precision: "float64" }), f, points);
    const found = await valueAndSlope(backend, f, points);
    // WGSL bounds the error of sin by 2⁻¹¹ only within ±π; 1e-3 suffices for an argument of 12, times the frequency of 3.
    const digits = name === "sine" ? 2 : 6;
    for (const part of ["value", "slope"] as const) {
      judged[part].forEach((value, index) => expect(found[part][index]).toBeCloseTo(value, digits));
    }
  });

  test("a model with custom parts trains as in float64", async () => {
    // Adam would divide the rounding error of a gradient near 0 by the gradient's size; SGD does not amplify it.
    const plain = { optimizer: optimizers.sgd(), learningRate: 0.05, epochs: 20 };
    const judged = await lossesOf(createCpuBackend({ precision: "float64" }), plain);
    const found = await lossesOf(backend, plain);
    // CPU and lavapipe differ by less than 3e-7; WGSL allows 5e-4 for the sine alone. The loss falls to 1/30.
    judged.forEach((loss, step) => expect(Math.abs(found[step]! / loss - 1)).toBeLessThan(1e-2));
    const adam = await lossesOf(backend);
    expect(adam.at(-1)).toBeLessThan(adam[0]! / 20);
  });

  test("a custom loss of class labels trains, and the accuracy is counted", async () => {
    const model = sequential([dense(8, { activation: softsign }), dense(2)], { inputShape: [2] });
    const trainer = await createTrainer({
      model,
      backend,
      dataset: sides,
      loss: smoothed,
      learningRate: 0.05,
      batchSize: 32,
      epochs: 40,
    });
    for await (const _ of trainer.fit());
    const { loss, accuracy: share } = await trainer.evaluate(sides);
    expect(share).toBeGreaterThan(0.95);
    // The minimum of this loss is the entropy of targets 0.95 and 0.05.
    expect(loss).toBeGreaterThan(-0.95 * Math.log(0.95) - 0.05 * Math.log(0.05));
    trainer.dispose();
  });

  test("a saved model, loaded with its custom parts, predicts the same bits", async () => {
    const trainer = await createTrainer({ model: build(), backend, ...options, epochs: 5 });
    for await (const _ of trainer.fit());
    const saved = saveModel(trainedOf(), (await trainer.snapshot()).parameters);
    const { model, loss } = loadModel(saved, "curve.safetensors", extensions);
    expect(loss).toBe(huber);
    const evaluator = createEvaluator({ model, loss, backend, session: backend.createSession() });
    expect(await evaluator.predict(features)).toEqual(await trainer.predict(features));
    expect(await evaluator.evaluate(curve)).toEqual(await trainer.evaluate(curve));
    trainer.dispose();
  });
});

test("on a GPU, custom activations and layers need no more kernels than wgrad's", async () => {
  const backend = await backends.find(({ name }) => name === "webgpu")!.create();
  const dispatches = async (model: ReturnType<typeof build>) => {
    const trainer = await createTrainer({ model, backend, ...options });
    return trainer.dispatches.map(({ kernel }) => kernel);
  };
  const layersWith = (chosen: CustomActivation | "tanh") => [dense(16, { activation: chosen }), dense(1)];
  const known = await dispatches(sequential(layersWith("tanh"), { inputShape: [1] }));
  for (const own of [gaussian, softsign, sine]) {
    expect(await dispatches(sequential(layersWith(own), { inputShape: [1] }))).toHaveLength(known.length);
  }
  const kernels = await dispatches(sequential(layersWith(softsign), { inputShape: [1] }));
  expect(kernels[0]).toMatch(/matmul.*softsign/);
  backend.dispose();
});

const trainedOf = (changes: Partial<TrainedModel> = {}): TrainedModel => ({
  model: build(),
  loss: huber,
  normalization: { scale: 1, offset: 0 },
  classes: [],
  outputs: ["y"],
  step: 5,
  training: {},
  ...changes,
});

const extensions = {
  layers: { scaleShift: ({ start }: LayerConfig) => scaleShift(start as number) },
  activations: [gaussian, softsign, sine],
  losses: [huber],
};

describe("refuses", () => {
  const values = () =>
    Object.fromEntries(
      build().parameters.map(({ attributes, shape }) => {
        const { name, initial } = attributes as { name: string; initial: Float32Array };
        return [name, { shape, values: initial }];
      }),
    );
  const saved = saveModel(trainedOf(), values());

  test.each([
    ["layers", /unknown layer type "scaleShift"\. A custom one must be given as \{ layers: \{ "scaleShift": … \} \}/],
    ["activations", /unknown activation "softsign"\. A custom one must be given as \{ activations: /],
    ["losses", /entry "loss" is "huber", .* given as \{ losses: \[loss\] \}/],
  ])("a file without the definitions of its %s", (missing, message) => {
    const load = () => loadModel(saved, "curve.safetensors", { ...extensions, [missing]: undefined });
    expect(load).toThrow(DataError);
    expect(load).toThrow(message);
  });

  test.each<[string, () => unknown, RegExp]>([
    [
      "an activation with the name of one of wgrad's",
      () => dense(1, { activation: { name: "relu", apply: gaussian.apply } }),
      /"relu" is the name/,
    ],
    [
      "an activation without a function",
      () => activation({ name: "mine" } as CustomActivation),
      /activation layer: .*is not an activation/,
    ],
    [
      "a layer type with the name of one of wgrad's",
      () => modelFromConfig(build().config, undefined, { layers: { dense: () => dense(1) } }),
      /"dense" is a built-in layer type/,
    ],
    [
      "a loss with the name of one of wgrad's",
      () => saveModel(trainedOf({ loss: { ...huber, name: "meanSquaredError" } }), values()),
      /name of a built-in loss/,
    ],
    [
      "two parameters with the same name",
      () => sequential([twice], { inputShape: [1] }),
      /layers\.0\.same: the layer makes two/,
    ],
  ])("%s", (_name, act, message) => {
    expect(act).toThrow(OptionError);
    expect(act).toThrow(message);
  });

  const twice: Layer = {
    config: { type: "twice" },
    build({ inputShape, parameter: make }) {
      const made = ["same", "same"].map((name) => make(name, [1], initializers.zeros, { fanIn: 1, fanOut: 1 }));
      return { outputShape: inputShape, apply: (x) => multiply(x, made[0]!) };
    },
  };

  test("a layer whose result does not have its output shape", () => {
    const liar: Layer = {
      config: { type: "liar" },
      build: ({ inputShape }) => ({ outputShape: inputShape, apply: (x) => sum(x, { axes: 1 }) }),
    };
    const made = () => sequential([liar], { inputShape: [3] });
    expect(made).toThrow(GraphError);
    expect(made).toThrow(
      /layer 0, liar: it returns reshape float32\[1\] for examples float32\[1, 3\], but its outputShape promises \[batch, 3\]/,
    );
  });

  test.each<[string, Layer["build"], RegExp]>([
    [
      "whose build returns nothing",
      () => null as never,
      /^layer 0, empty: its build returns null\. Return \{ outputShape, apply \}/,
    ],
    [
      "whose shape is not a list",
      () => ({ outputShape: 3 as never, apply: (x) => x }),
      /its build returns \{"outputShape":3\}/,
    ],
    [
      "without apply",
      ({ inputShape }) => ({ outputShape: inputShape }) as never,
      /its build returns \{"outputShape":\[3\]\}/,
    ],
    [
      "whose apply returns nothing",
      ({ inputShape }) => ({ outputShape: inputShape, apply: () => null as never }),
      /^layer 0, empty, apply: null is not a tensor/,
    ],
    [
      "whose apply returns a promise",
      ({ inputShape }) => ({ outputShape: inputShape, apply: (async () => {}) as never }),
      /apply: an object with the keys .*is not a tensor/,
    ],
  ])("a layer %s", (_name, make, message) => {
    const act = () =>
      sequential([{ config: { type: "empty" }, build: make }], { inputShape: [3] }).apply(parameter("x", [4, 3]));
    expect(act).toThrow(WgradError);
    expect(act).toThrow(message);
  });

  test("a loss that does not have one value for each example", async () => {
    const whole: RegressionLoss = {
      name: "whole",
      perTarget: (outputs, targets) => mean(square(subtract(outputs, targets))),
    };
    const made = createTrainer({ model: build(), backend: createCpuBackend(), ...options, loss: whole });
    await expect(made).rejects.toThrow(
      /loss whole: its result is reshape float32\[\] for 64 examples\. Return one float32 value per example/,
    );
  });

  test("a WGSL function with the name of one of wgrad's", async () => {
    const { create } = backends.find(({ name }) => name === "webgpu")!;
    const backend = await create();
    const clash = makeActivation({
      name: "clash",
      cpu: (x) => x,
      wgsl: "relu",
      source: "fn relu(x: f32) -> f32 { return x; }",
      derivative: { cpu: () => 1, wgsl: "relu" },
    });
    await expect(valueAndSlope(backend, (x) => clash(x), [1])).rejects.toThrow(
      /clash: the name "relu" is already used by a WGSL function of wgrad/,
    );
    backend.dispose();
  });
});
