import { describe, expect, test } from "vitest";
import { OptionError } from "../../src/errors.ts";
import { defineGraph } from "../../src/graph/graph.ts";
import { parameter, stateOp, stepScalar } from "../../src/graph/leaves.ts";
import type { Tensor } from "../../src/graph/tensor.ts";
import { optimizers, type Optimizer, type ParameterFactors } from "../../src/nn/index.ts";
import { add, exp, multiply, square } from "../../src/ops/elementwise/index.ts";
import { gradients } from "../../src/ops/gradients.ts";
import { pack } from "../../src/ops/layout/index.ts";
import { sum } from "../../src/ops/reduce/index.ts";
import { evaluate } from "./run.ts";

const STEPS = 7;
const weightValues = [0.5, -1.25, 2, 0, -0.75, 1.5];
const biasValues = [1, -2];

/** Changes at each step, so that using the learning rate of another step is noticed. */
const rate = (step: number) => 0.1 / (1 + step);

/** E = Σ ¾ w² + e^(w/5), and its derivative. */
const energy = (w: Tensor) => sum(add(multiply(square(w), 0.75), exp(multiply(w, 0.2))));
const slope = (w: number) => 1.5 * w + 0.2 * Math.exp(0.2 * w);

/**
 * The rule for one weight with its state, as in the paper: from (weight, gradient, learning rate, t from 1) to the
 * weight.
 */
type PlainRule = (w: number, g: number, epsilon: number, t: number, memory: Record<string, number>) => number;

function plainDescent(values: readonly number[], rule: PlainRule) {
  const memories = values.map((): Record<string, number> => ({}));
  let current = [...values];
  for (let step = 0; step < STEPS; step++) {
    current = current.map((w, index) => rule(w, slope(w), rate(step), step + 1, memories[index]!));
  }
  return { values: current, memories };
}

async function descend(
  optimizer: Optimizer,
  packed = false,
  factors?: readonly ParameterFactors[],
  rateAt: number | ((step: number) => number) = rate,
) {
  const weight = parameter("weight", [3, 2], weightValues);
  const bias = parameter("bias", [2], biasValues);
  const parameters = [weight, bias];
  const separate = gradients(add(energy(weight), energy(bias)), parameters);
  const updates = optimizer.update(parameters, packed ? pack(separate) : separate, {
    learningRate: typeof rateAt === "number" ? rateAt : stepScalar("learningRate", rateAt),
    ...(factors && { factors }),
  });
  const states = updates.map(({ target }) => target).filter(({ op }) => op === stateOp);
  const { leaves } = await evaluate({}, { updates, steps: STEPS, leaves: [...parameters, ...states] });
  const names = states.map(({ attributes }) => (attributes as { name: string }).name);
  const found = Object.fromEntries(names.map((name, index) => [name, leaves[index + 2]!]));
  return { weight: leaves[0]!, bias: leaves[1]!, states: found };
}

function expectClose(found: readonly number[], wanted: readonly number[]) {
  expect(found.length).toBe(wanted.length);
  found.forEach((value, index) => expect(Math.abs(value - wanted[index]!)).toBeLessThanOrEqual(1e-12));
}

const adamRule =
  (decay: number): PlainRule =>
  (w, g, epsilon, t, memory) => {
    memory.m = 0.8 * (memory.m ?? 0) + 0.2 * g;
    memory.v = 0.95 * (memory.v ?? 0) + 0.05 * g * g;
    const mean = memory.m / (1 - 0.8 ** t);
    const meanSquare = memory.v / (1 - 0.95 ** t);
    return w - epsilon * (mean / (Math.sqrt(meanSquare) + 1e-6) + decay * w);
  };

const lionRule =
  (decay: number): PlainRule =>
  (w, g, epsilon, _, memory) => {
    const direction = Math.sign(0.6 * (memory.m ?? 0) + 0.4 * g);
    memory.m = 0.9 * (memory.m ?? 0) + 0.1 * g;
    return w - epsilon * (direction + decay * w);
  };

const adamOptions = { beta1: 0.8, beta2: 0.95, epsilon: 1e-6 };

/** Each optimizer with plain loops for weights and biases, and the names of its states in the loops. */
const cases: [string, Optimizer, PlainRule, PlainRule, Record<string, string>][] = [
  ["sgd", optimizers.sgd(), ...both((w, g, epsilon) => w - epsilon * g), {}],
  [
    "momentum",
    optimizers.momentum({ momentum: 0.7 }),
    ...both((w, g, epsilon, _, memory) => {
      memory.change = -epsilon * g + 0.7 * (memory.change ?? 0);
      return w + memory.change;
    }),
    { "momentum.change": "change" },
  ],
  [
    "nesterov",
    optimizers.nesterov({ momentum: 0.7 }),
    ...both((w, g, epsilon, _, memory) => {
      memory.v = 0.7 * (memory.v ?? 0) - epsilon * g;
      return w + 0.7 * memory.v - epsilon * g;
    }),
    { "nesterov.velocity": "v" },
  ],
  [
    "rmsprop",
    optimizers.rmsprop({ decay: 0.8, epsilon: 1e-6 }),
    ...both((w, g, epsilon, _, memory) => {
      memory.s = 0.8 * (memory.s ?? 0) + 0.2 * g * g;
      return w - (epsilon * g) / (Math.sqrt(memory.s) + 1e-6);
    }),
    { "rmsprop.meanSquare": "s" },
  ],
  [
    "adagrad",
    optimizers.adagrad({ epsilon: 1e-6 }),
    ...both((w, g, epsilon, _, memory) => {
      memory.s = (memory.s ?? 0) + g * g;
      return w - (epsilon * g) / (Math.sqrt(memory.s) + 1e-6);
    }),
    { "adagrad.sumOfSquares": "s" },
  ],
  ["adam", optimizers.adam(adamOptions), ...both(adamRule(0)), { "adam.firstMoment": "m", "adam.secondMoment": "v" }],
  [
    "adamW",
    optimizers.adamW({ ...adamOptions, weightDecay: 0.3 }),
    adamRule(0.3),
    adamRule(0),
    { "adamW.firstMoment": "m", "adamW.secondMoment": "v" },
  ],
  [
    "adamW that decays every parameter",
    optimizers.adamW({ ...adamOptions, weightDecay: 0.3, decays: () => true }),
    ...both(adamRule(0.3)),
    { "adamW.firstMoment": "m", "adamW.secondMoment": "v" },
  ],
  [
    "lion",
    optimizers.lion({ beta1: 0.6, beta2: 0.9, weightDecay: 0.3 }),
    lionRule(0.3),
    lionRule(0),
    { "lion.momentum": "m" },
  ],
  [
    "sgd with L1 and L2",
    optimizers.regularized(optimizers.sgd(), { l1: 0.4, l2: 0.3 }),
    (w, g, epsilon) => shrunk(w - epsilon * g, 0.4 * epsilon) / (1 + 0.3 * epsilon),
    (w, g, epsilon) => w - epsilon * g,
    {},
  ],
  [
    "adam with coupled weight decay",
    optimizers.coupledDecay(optimizers.adam(adamOptions), { weightDecay: 0.3 }),
    (w, g, epsilon, t, memory) => adamRule(0)(w, g + 0.3 * w, epsilon, t, memory),
    adamRule(0),
    { "adam.firstMoment": "m", "adam.secondMoment": "v" },
  ],
  [
    "adam with L1 of every parameter",
    optimizers.regularized(optimizers.adam(adamOptions), { l1: 0.4, penalizes: () => true }),
    ...both((w, g, epsilon, t, memory) => shrunk(adamRule(0)(w, g, epsilon, t, memory), 0.4 * epsilon)),
    { "adam.firstMoment": "m", "adam.secondMoment": "v" },
  ],
];

/** A weight moved towards 0, and no further. */
function shrunk(w: number, by: number): number {
  return Math.sign(w) * Math.max(Math.abs(w) - by, 0);
}

function both(rule: PlainRule): [PlainRule, PlainRule] {
  return [rule, rule];
}

describe("optimizers equal plain loops of their formulas", () => {
  test.each(cases)("%s", async (_, optimizer, weightRule, biasRule, stateNames) => {
    const found = await descend(optimizer);
    const weight = plainDescent(weightValues, weightRule);
    const bias = plainDescent(biasValues, biasRule);
    expectClose(found.weight, weight.values);
    expectClose(found.bias, bias.values);
    expect(Object.keys(found.states)).toEqual(Object.keys(stateNames));
    for (const [name, field] of Object.entries(stateNames)) {
      expectClose(
        found.states[name]!.slice(0, 6),
        weight.memories.map((memory) => memory[field]!),
      );
      expectClose(
        found.states[name]!.slice(64, 66),
        bias.memories.map((memory) => memory[field]!),
      );
      expect(found.states[name]!.filter((value, index) => (index % 64 > 5 || index > 65) && value !== 0)).toEqual([]);
    }
  });

  test.each(cases)("%s accepts packed gradients", async (_, optimizer) => {
    expect(await descend(optimizer, true)).toEqual(await descend(optimizer));
  });

  test("Nesterov's form with the look-ahead point equals Sutskever et al., equations 3 and 4", async () => {
    const found = await descend(optimizers.nesterov({ momentum: 0.7 }));
    const ahead = weightValues.map((start) => {
      let [w, v] = [start, 0];
      for (let step = 0; step < STEPS; step++) {
        v = 0.7 * v - rate(step) * slope(w + 0.7 * v);
        w += v;
      }
      return w + 0.7 * v;
    });
    expectClose(found.weight, ahead);
  });

  test("adamW needs no decay vector if all parameters decay alike", () => {
    const parameters = [parameter("weight", [3, 2]), parameter("bias", [2])];
    const count = (optimizer: Optimizer) => {
      const updates = optimizer.update(parameters, parameters, { learningRate: stepScalar("rate", rate) });
      return defineGraph({}, updates).nodes.filter(({ op, size }) => op.name === "constant" && size > 1).length;
    };
    expect(count(optimizers.adamW())).toBe(1);
    expect(count(optimizers.adamW({ decays: () => true }))).toBe(0);
    expect(count(optimizers.adamW({ decays: () => false }))).toBe(0);
  });
});

describe("factors of parameters", () => {
  const factors = [
    { learningRate: 0.5, weightDecay: 2 },
    { learningRate: 1, weightDecay: 1 },
  ];

  test.each(cases)("%s multiplies the learning rate and the weight decay by them", async (_, optimizer) => {
    const found = await descend(optimizer, false, factors);
    const plain = await descend(optimizer);
    // Half the rate and twice the decay give the values that half the rate gives with options of twice the decay.
    expect(found.bias).toEqual(plain.bias);
    expect(found.weight).not.toEqual(plain.weight);
    const { weightDecay } = optimizer.options;
    const doubled: Record<string, (options: { weightDecay: number }) => Optimizer> = {
      adam: (options) => optimizers.coupledDecay(optimizers.adam(adamOptions), options),
      adamW: (options) => optimizers.adamW({ ...adamOptions, ...options }),
      lion: (options) => optimizers.lion({ ...optimizer.options, ...options }),
    };
    const alike = weightDecay === undefined ? optimizer : doubled[optimizer.name]!({ weightDecay: 2 * weightDecay });
    const slow = await descend(alike, false, undefined, (step) => rate(step) / 2);
    expectClose(found.weight, slow.weight);
  });

  test.each(cases)("%s takes the learning rate as a number, too", async (_, optimizer) => {
    for (const own of [undefined, factors, [factors[0]!, factors[0]!]]) {
      const [found, wanted] = [
        await descend(optimizer, false, own, 0.1),
        await descend(optimizer, false, own, () => 0.1),
      ];
      expectClose([...found.weight, ...found.bias], [...wanted.weight, ...wanted.bias]);
    }
  });

  test("need no vector if all are equal", async () => {
    const parameters = [parameter("weight", [3, 2]), parameter("bias", [2])];
    const count = (given: typeof factors) => {
      const learningRate = stepScalar("rate", rate);
      const updates = optimizers.lion().update(parameters, parameters, { learningRate, factors: given });
      return defineGraph({}, updates).nodes.filter(({ op, size }) => op.name === "constant" && size > 1).length;
    };
    expect(count([factors[1]!, factors[1]!])).toBe(0);
    expect(count([factors[0]!, factors[0]!])).toBe(0);
    expect(count(factors)).toBe(1);
  });
});

describe("optimizer options", () => {
  test.each([
    ["momentum 1", () => optimizers.momentum({ momentum: 1 }), /momentum.*1 is out of range.*\[0, 1\)/],
    ["momentum NaN", () => optimizers.momentum({ momentum: NaN }), /NaN/],
    ["nesterov −0.1", () => optimizers.nesterov({ momentum: -0.1 }), /nesterov momentum/],
    ["rmsprop decay", () => optimizers.rmsprop({ decay: 1.5 }), /rmsprop decay/],
    ["rmsprop epsilon", () => optimizers.rmsprop({ epsilon: 0 }), /rmsprop epsilon/],
    ["adam beta1", () => optimizers.adam({ beta1: 1 }), /adam beta1/],
    ["adam beta2", () => optimizers.adam({ beta2: -1 }), /adam beta2/],
    ["adam epsilon", () => optimizers.adam({ epsilon: Infinity }), /adam epsilon/],
    ["adamW weightDecay", () => optimizers.adamW({ weightDecay: -0.1 }), /adamW weightDecay/],
    ["adagrad epsilon", () => optimizers.adagrad({ epsilon: -1 }), /adagrad epsilon/],
    ["lion beta1", () => optimizers.lion({ beta1: 1 }), /lion beta1/],
    ["lion beta2", () => optimizers.lion({ beta2: 2 }), /lion beta2/],
    ["lion weightDecay", () => optimizers.lion({ weightDecay: NaN }), /lion weightDecay/],
    [
      "regularized l1",
      () => optimizers.regularized(optimizers.sgd(), { l1: -1 }),
      /regularized l1.*-1 is out of range/,
    ],
    ["regularized l2", () => optimizers.regularized(optimizers.sgd(), { l2: Infinity }), /regularized l2/],
    ["coupledDecay weightDecay", () => optimizers.coupledDecay(optimizers.sgd(), { weightDecay: -1 }), /-1 is out/],
    ["decays twice", () => optimizers.coupledDecay(optimizers.lion()), /coupledDecay: lion has a weight decay of its/],
    ["decay of sgd", () => optimizers.sgd({ weightDecay: 1 } as never), /or add optimizers\.coupledDecay\(\)/],
    ["muon momentum", () => optimizers.muon({ momentum: 1 }), /muon momentum/],
    ["muon iterations", () => optimizers.muon({ iterations: 0 }), /muon iterations/],
    ["muon rateOfOthers", () => optimizers.muon({ rateOfOthers: 0 }), /muon rateOfOthers/],
    ["muon beta2", () => optimizers.muon({ beta2: 1 }), /muon beta2/],
    ["a string", () => optimizers.adam({ beta1: "0.9" as unknown as number }), /"0.9" is out of range/],
  ])("%s is refused", (_, make, message) => {
    expect(make).toThrow(OptionError);
    expect(make).toThrow(message);
  });

  test("are stored for model files", () => {
    expect(optimizers.coupledDecay(optimizers.momentum(), { weightDecay: 5e-4 })).toMatchObject({
      name: "momentum",
      options: { momentum: 0.9, weightDecay: 5e-4 },
    });
    expect(optimizers.adamW()).toMatchObject({
      name: "adamW",
      options: { beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0.01 },
    });
  });
});
