/*
 * For any arguments, functions return a valid result or throw an error that says what, where and how to fix it.
 */
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { createBackend } from "../../src/backends/choose.ts";
import { createCpuBackend, type CpuOptions } from "../../src/backends/cpu/index.ts";
import { defineGraph } from "../../src/graph/graph.ts";
import { constant, input, parameter, state, stepScalar } from "../../src/graph/leaves.ts";
import { sizeOf, type DType, type Shape, type Tensor } from "../../src/graph/tensor.ts";
import { activations, type ActivationName } from "../../src/nn/activations.ts";
import { clipByGlobalNorm } from "../../src/nn/clipping.ts";
import * as initializers from "../../src/nn/initializers.ts";
import * as allLayers from "../../src/nn/layers/index.ts";
import { activation, dense, dropout, flatten } from "../../src/nn/layers/index.ts";
import type { Layer } from "../../src/nn/layers/layer.ts";
import * as optimizers from "../../src/nn/optimizers.ts";
import * as schedules from "../../src/nn/schedules.ts";
import { modelFromConfig } from "../../src/nn/model-config.ts";
import { sequential } from "../../src/nn/sequential.ts";
import { dropoutMask } from "../../src/ops/dropout/index.ts";
import { add, elu, leakyRelu, power } from "../../src/ops/elementwise/index.ts";
import { takeBatch } from "../../src/ops/gather/index.ts";
import { oneHot } from "../../src/ops/indexing/index.ts";
import { axisIndex, broadcastTo, pack, reshape, transpose } from "../../src/ops/layout/index.ts";
import { meanSquaredError, softmaxCrossEntropy } from "../../src/ops/losses/index.ts";
import { matmul } from "../../src/ops/matmul/index.ts";
import { argmax, max, mean, sum } from "../../src/ops/reduce/index.ts";
import { softmax } from "../../src/ops/softmax/index.ts";
import { probabilities } from "../../src/train/index.ts";
import { anything, attempt, attemptAsync, holds, numbers, shapes } from "./refusals.ts";

/** Arguments that TypeScript would not allow. */
const given = <Value>(value: unknown): Value => value as Value;

const names = fc.oneof({ weight: 5, arbitrary: fc.constantFrom(...Object.keys(activations)) }, anything);

describe("layers and models", () => {
  test("dense, dropout and activation", () => {
    holds(
      (units, name, bias) => dense(given(units), { activation: given(name), bias: given(bias) }),
      anything,
      names,
      fc.oneof({ weight: 3, arbitrary: fc.boolean() }, anything),
    );
    holds((rate) => dropout(given(rate)), anything);
    holds((name) => activation(given(name)), names);
  });

  const pairs = fc.oneof(
    {
      weight: 4,
      arbitrary: fc.constantFrom<unknown>(
        1,
        2,
        [2, 3],
        [
          [1, 0],
          [0, 1],
        ],
        "same",
        "valid",
      ),
    },
    fc.array(numbers, { maxLength: 3 }),
    anything,
  );
  /** At most two options, so that many are valid together. */
  const someOf = (...keys: string[]) =>
    fc.array(fc.tuple(fc.constantFrom(...keys), pairs), { maxLength: 2 }).map((entries) => Object.fromEntries(entries));

  test("layers of images and signals, when they are made and when a model is built", () => {
    const images = fc.constantFrom<Shape>([6, 5, 2], [6, 5], [12], [2, 2, 2, 2]);
    const windows = someOf("stride", "padding", "dilation", "groups", "multiplier", "outputPadding", "bias");
    const make: ((size: unknown, window: unknown, given: object) => Layer)[] = [
      (size, window, more) => allLayers.conv2d(given(size), given(window), more),
      (size, window, more) => allLayers.conv1d(given(size), given(window), more),
      (size, window, more) => allLayers.convTranspose2d(given(size), given(window), more),
      (_, window, more) => allLayers.depthwiseConv2d(given(window), more),
      (_, window, more) => allLayers.maxPool2d(given(window), more),
      (_, window, more) => allLayers.averagePool2d(given(window), more),
      (_, window) => allLayers.upsample(given(window)),
      (_, window) => allLayers.upsample(given(window), { mode: "bilinear" }),
    ];
    for (const layer of make) {
      holds(
        (size, window, more, inputShape) => sequential([layer(size, window, more)], { inputShape }),
        fc.constantFrom<unknown>(1, 2, 4),
        pairs,
        windows,
        images,
      );
      holds((size, window) => layer(size, window, {}), anything, pairs);
    }
  });

  test("layers that normalize, embed, reshape, disturb and contain layers", () => {
    const norms = someOf("epsilon", "affine");
    holds((more) => sequential([allLayers.layerNorm(more)], { inputShape: [4] }), norms);
    holds((more) => sequential([allLayers.rmsNorm(more)], { inputShape: [4] }), norms);
    holds(
      (groups, more) => sequential([allLayers.groupNorm(given(groups), more)], { inputShape: [4] }),
      anything,
      norms,
    );
    holds((entries, width) => allLayers.embedding(given(entries), given(width)), anything, anything);
    holds((shape) => sequential([allLayers.reshape(given(shape))], { inputShape: [4] }), fc.oneof(shapes, anything));
    holds((rate) => sequential([allLayers.spatialDropout(given(rate))], { inputShape: [2, 2] }), anything);
    holds((deviation) => sequential([allLayers.gaussianNoise(given(deviation))], { inputShape: [2] }), anything);
    holds(
      (inner, projection) =>
        sequential([allLayers.residual(given(inner), { projection: given(projection) })], { inputShape: [2] }),
      lists,
      lists,
    );
    holds((inner) => sequential([sequential(given<Layer[]>(inner))], { inputShape: [2] }), lists);
  });

  const layers = fc.oneof(
    {
      weight: 4,
      arbitrary: fc.constant<unknown>(undefined).chain(() => fc.constantFrom(1, 2, 7).map((units) => dense(units))),
    },
    { weight: 2, arbitrary: fc.constant(flatten()) },
    fc.constant(activation("tanh")),
    fc.constantFrom(2 ** 31, 2 ** 52).map((units) => dense(units)),
    anything,
  );
  const lists = fc.oneof({ weight: 6, arbitrary: fc.array(layers, { maxLength: 4 }) }, anything);

  test("sequential", () => {
    holds(
      (list, inputShape, seed) => sequential(given(list), { inputShape: given(inputShape), seed: given(seed) }),
      lists,
      fc.oneof({ weight: 5, arbitrary: shapes as fc.Arbitrary<unknown> }, anything),
      anything,
    );
    holds(
      (list, options) => sequential(given<Layer[]>(list), given(options)),
      fc.constant([dense(2)]),
      fc.oneof(fc.constant({ inputShape: [2] }), anything),
    );
  });

  test("a model's config from any JSON, or a valid one with changes", () => {
    const good = sequential([flatten(), dense(2, { activation: "elu" }), dropout(0.5)], { inputShape: [3, 2] }).config;
    const part = fc.oneof(fc.jsonValue({ maxDepth: 2 }), numbers);
    holds(
      (name, layer, option, value) => {
        const changed = structuredClone(good) as unknown as { layers: Record<string, unknown>[] };
        if (layer < 0) return modelFromConfig({ ...changed, [name]: value });
        changed.layers[layer]![option] = value;
        return modelFromConfig(changed);
      },
      fc.constantFrom("inputShape", "seed", "layers", "more"),
      fc.integer({ min: -1, max: 2 }),
      fc.constantFrom("type", "units", "activation", "bias", "rate", "more"),
      fc.oneof(part, fc.constantFrom<unknown>(1, 0.5, "relu", true)),
    );
  });

  test("initializers", () => {
    for (const make of [initializers.constant, initializers.normal, initializers.uniform])
      holds((value) => make(given(value)), anything);
    holds(
      (values, inputs) =>
        sequential([dense(2, { weights: initializers.given(given(values)) })], { inputShape: [inputs] }),
      fc.oneof(fc.array(numbers, { maxLength: 6 }), anything),
      fc.integer({ min: 1, max: 3 }),
    );
  });

  test("optimizers", () => {
    const options = (...keys: string[]) =>
      fc.record(
        Object.fromEntries(
          keys.map((key) => [key, fc.oneof({ weight: 5, arbitrary: fc.constant(undefined) }, anything)]),
        ),
      );
    holds((values) => optimizers.momentum(values), options("momentum"));
    holds((values) => optimizers.nesterov(values), options("momentum"));
    holds((values) => optimizers.rmsprop(values), options("decay", "epsilon"));
    holds((values) => optimizers.adagrad(values), options("epsilon"));
    holds((values) => optimizers.adam(values), options("beta1", "beta2", "epsilon"));
    holds((values) => optimizers.adamW(values), options("beta1", "beta2", "epsilon", "weightDecay"));
    holds((values) => optimizers.lion(values), options("beta1", "beta2", "weightDecay"));
    const ofMuon = options("momentum", "iterations", "rateOfOthers", "beta2", "epsilon", "weightDecay");
    holds((values) => optimizers.muon(values), ofMuon);
  });

  test("schedules, whose factors are in [0, 1] at every step", () => {
    const steps = fc.integer({ min: 1, max: 1000 });
    const check = (schedule: schedules.Schedule, total: number) => {
      for (const step of [0, total >> 1, total - 1]) {
        expect(schedule(step, total)).toBeGreaterThanOrEqual(0);
        expect(schedule(step, total)).toBeLessThanOrEqual(1);
      }
    };
    const decay = fc.record({ every: anything, factor: anything });
    holds((options, total) => check(schedules.step(given(options)), total), decay, steps);
    holds((options, total) => check(schedules.exponential(given(options)), total), decay, steps);
    holds((final, total) => check(schedules.cosine({ final: given(final) }), total), anything, steps);
    holds((final, total) => check(schedules.linear({ final: given(final) }), total), anything, steps);
    const cycles = fc.record({ every: anything, growth: anything, final: anything });
    holds((options, total) => check(schedules.cosineRestarts(given(options)), total), cycles, steps);
    const cycle = fc.record({ rise: anything, initial: anything, final: anything });
    holds((options, total) => check(schedules.oneCycle(given(options)), total), cycle, steps);
    holds((rise, total) => check(schedules.warmup(given(rise), schedules.cosine()), total), anything, steps);
  });

  test("clipping and one-hot labels", () => {
    holds((norm) => clipByGlobalNorm([parameter("w", [2])], given(norm)), anything);
    holds((classes) => oneHot(input("labels", [3], "uint32"), classes), numbers);
  });
});

describe("graphs", () => {
  const small = fc.array(fc.integer({ min: 1, max: 3 }), { maxLength: 3 });
  const types = fc.constantFrom<DType>("float32", "uint32", "uint8");
  const tensors = fc.tuple(small, types).map(([shape, dtype]) => input("x", shape, dtype));
  const floats = small.map((shape) => input("x", shape));

  test("leaves", () => {
    for (const leaf of [parameter, state]) {
      holds(
        (shape, values) => leaf("w", shape, values),
        shapes,
        fc.option(fc.array(numbers, { maxLength: 4 }), { nil: undefined }),
      );
    }
    holds((shape, dtype) => input("x", shape, dtype), shapes, types);
    holds(
      (value, shape) => constant(value, shape),
      fc.oneof(numbers, fc.array(numbers, { maxLength: 4 })),
      fc.option(shapes, { nil: undefined }),
    );
  });

  test("ops of two tensors", () => {
    // Few enough that some fit each op.
    const shape = fc.constantFrom<Shape>([2, 2], [2], [2, 1], [1, 3], []);
    const fitting = fc
      .tuple(shape, fc.constantFrom<DType>("float32", "float32", "uint32", "uint8"))
      .map(([sizes, dtype]) => input("x", sizes, dtype));
    const ops = [add, matmul, meanSquaredError, softmaxCrossEntropy] as ((a: Tensor, b: Tensor) => Tensor)[];
    for (const op of ops) holds(op, fitting, fitting);
  });

  test("ops with shapes and axes", () => {
    holds((x, shape) => requireSize(reshape(x, shape), x.size), tensors, fc.oneof(shapes, small, fc.constant([-1])));
    holds(
      (x, order) => transpose(x, order),
      tensors,
      fc.oneof(fc.constantFrom<number[] | undefined>([1, 0], [0], undefined), fc.array(numbers, { maxLength: 3 })),
    );
    holds((x, shape) => broadcastTo(x, shape), tensors, fc.oneof(shapes, small));
    const axes = fc.option(
      fc.oneof(fc.integer({ min: -3, max: 3 }), numbers, fc.array(fc.integer({ min: -3, max: 3 }), { maxLength: 3 })),
      { nil: undefined },
    );
    for (const op of [sum, mean, max, argmax])
      holds((x, chosen, keepAxes) => op(x, { keepAxes, axes: chosen }), floats, axes, fc.boolean());
    holds((x) => softmax(x), tensors);
    holds((shape, axis) => axisIndex(shape, axis), shapes, fc.oneof(fc.integer({ min: 0, max: 2 }), numbers));
    holds((list) => pack(list), fc.array(tensors, { maxLength: 3 }));
  });

  test("ops with numbers", () => {
    const x = input("x", [3]);
    for (const op of [power, leakyRelu, elu] as ((x: Tensor, value: number) => Tensor)[])
      holds((value) => op(x, value), numbers);
    const key = stepScalar("key", () => 1, "uint32");
    holds((shape, rate) => dropoutMask(shape, rate, key), shapes, numbers);
    const [start, data] = [constant(0, [], "uint32"), input("data", [5, 2], "uint8")];
    holds((count, scale, offset) => takeBatch(data, { start, count, scale, offset }), numbers, numbers, numbers);
  });

  test("updates", () => {
    const target = fc.oneof(
      small.map((shape) => parameter("w", shape)),
      floats,
    );
    holds(
      (first, second, value) =>
        defineGraph({}, [
          { target: first, value },
          { target: second, value },
        ]),
      target,
      target,
      floats,
    );
  });
});

function requireSize(tensor: Tensor, size: number): void {
  expect(sizeOf(tensor.shape as Shape)).toBe(size);
}

test("backends", async () => {
  holds(
    (precision) => createCpuBackend({ precision } as CpuOptions),
    fc.oneof(fc.constantFrom<unknown>("float32", "float64"), anything),
  );
  const outcomes = { succeeded: 0, refused: 0 };
  await fc.assert(
    fc.asyncProperty(
      fc.oneof(
        fc.constant<unknown>("cpu"),
        anything.filter((value) => value !== undefined),
      ),
      async (device) => {
        await attemptAsync(outcomes, () => createBackend({ device: given(device) }));
      },
    ),
  );
  expect(outcomes).toEqual({ succeeded: expect.any(Number), refused: expect.any(Number) });
});

test("probabilities", () => {
  holds((logits, classes) => probabilities(logits, given(classes)), fc.float32Array({ maxLength: 8 }), anything);
  const outcomes = { succeeded: 0, refused: 0 };
  expect(attempt(outcomes, () => probabilities(Float32Array.of(0, 0, 0, 0), 2))).toEqual(
    Float32Array.of(0.5, 0.5, 0.5, 0.5),
  );
});

test("the names of activations are those that the layers accept", () => {
  for (const name of Object.keys(activations))
    expect(activation(name as ActivationName).config).toEqual({ type: "activation", name });
});
