import { describe, expect, test } from "vitest";
import { defineGraph, updatedLeaves } from "../../src/graph/graph.ts";
import { parameter, stateOp, stepScalar, type StoredAttributes } from "../../src/graph/leaves.ts";
import type { Tensor } from "../../src/graph/tensor.ts";
import { optimizers, type Gradients, type Optimizer } from "../../src/nn/index.ts";
import { add, exp, multiply, square } from "../../src/ops/elementwise/index.ts";
import { gradients } from "../../src/ops/gradients.ts";
import { pack } from "../../src/ops/layout/index.ts";
import { matrixProducts } from "../../src/ops/matmul/index.ts";
import { sum } from "../../src/ops/reduce/index.ts";
import { evaluate } from "./run.ts";

const STEPS = 7;

const energy = (w: Tensor) => sum(add(multiply(square(w), 0.75), exp(multiply(w, 0.2))));

/** A wide matrix, biases between the matrices, and a tall matrix. */
const makeParameters = () => [
  parameter("wide", [2, 3], [0.5, -1.25, 2, 0, -0.75, 1.5]),
  parameter("bias", [2], [1, -2]),
  parameter("tall", [3, 2], [1, -2, 0.25, 0.5, -1.5, 3]),
];

async function descend(optimizer: Optimizer, given: (separate: readonly Tensor[]) => Gradients = (all) => all) {
  const parameters = makeParameters();
  const loss = parameters.map(energy).reduce((all, part) => add(all, part));
  const updates = optimizer.update(parameters, given(gradients(loss, parameters)), {
    learningRate: stepScalar("learningRate", (step) => 0.1 / (1 + step)),
  });
  const states = updates.map(({ target }) => target).filter(({ op }) => op === stateOp);
  const leaves = [...parameters, ...states];
  const values = (await evaluate({}, { updates, steps: STEPS, leaves })).leaves;
  const named = leaves.map(({ attributes }, index) => [(attributes as StoredAttributes).name, values[index]!] as const);
  return Object.fromEntries(named);
}

/**
 * From the functions muon_update and adam_update of Jordan's code (github.com/KellerJordan/Muon) in PyTorch, in float64
 * instead of bfloat16, with weight decay 0.3 for matrices and half the learning rate for the bias.
 */
const reference: Readonly<Record<string, readonly number[]>> = {
  wide: [
    0.30481749635601557, -1.0175881907346183, 1.7492754239879709, 0.15184288201915705, -0.7342061453166147,
    1.195066778294464,
  ],
  tall: [
    0.809538344542584, -1.7979260011540128, 0.056296349093870025, 0.3617135014772579, -1.3492759319568832,
    2.6252733638394528,
  ],
  bias: [0.8705279088967466, -1.8704488257455099],
};

const momenta = [
  [
    0.2346716740022653, -0.44929855526101103, 0.9178511272503159, 0.10503803329257547, -0.2818608702467055,
    0.6679218400494669,
  ],
  [
    0.4669756985337785, -0.8045865748374181, 0.1144977491624169, 0.24943456809130274, -0.5892131559169888,
    1.351696023433834,
  ],
];

function expectClose(found: readonly number[], wanted: readonly number[]) {
  expect(found.length).toBe(wanted.length);
  found.forEach((value, index) => expect(Math.abs(value - wanted[index]!)).toBeLessThanOrEqual(1e-12));
}

const muon = () => optimizers.muon({ weightDecay: 0.3, rateOfOthers: 0.5 });

describe("muon", () => {
  test.each([
    ["separate", undefined],
    ["packed", pack],
  ])("equals Jordan's code, from %s gradients", async (_, given) => {
    const found = await descend(muon(), given);
    for (const [name, wanted] of Object.entries(reference)) expectClose(found[name]!, wanted);
    expect(found["muon.momentum"]!.length).toBe(128);
    expectClose(found["muon.momentum"]!.slice(0, 6), momenta[0]!);
    expectClose(found["muon.momentum"]!.slice(64, 70), momenta[1]!);
    expectClose(found["muon.firstMoment"]!.slice(0, 2), [0.8395725686499976, -1.4256858825081318]);
    expectClose(found["muon.secondMoment"]!.slice(0, 2), [0.7880649218513253, 2.263463124801035]);
  });

  test("leaves matrices that the option does not choose to AdamW", async () => {
    const found = await descend(
      optimizers.muon({ weightDecay: 0.3, rateOfOthers: 1, matrices: ({ shape }) => shape[0] === 2 && shape[1] === 3 }),
    );
    const adamW = await descend(optimizers.adamW({ beta2: 0.95, epsilon: 1e-10, weightDecay: 0.3 }));
    expectClose(found["wide"]!, reference["wide"]!);
    expect(found["tall"]).toEqual(adamW["tall"]);
    expect(found["bias"]).toEqual(adamW["bias"]);
  });

  test("equals AdamW without matrices, and has no AdamW with matrices only", async () => {
    const [wide, bias] = makeParameters() as [Tensor, Tensor];
    const statesOf = (parameters: Tensor[]) =>
      muon()
        .update(parameters, parameters, { learningRate: stepScalar("rate", () => 1) })
        .flatMap(({ target }) => updatedLeaves(target))
        .map(({ attributes }) => (attributes as StoredAttributes).name);
    expect(statesOf([bias])).toEqual(["bias", "muon.firstMoment", "muon.secondMoment"]);
    expect(statesOf([wide])).toEqual(["wide", "muon.momentum"]);
  });

  test("multiplies each matrix with itself on its smaller side", () => {
    const parameters = [parameter("wide", [3, 7]), parameter("tall", [9, 2]), parameter("kernel", [2, 2, 3, 5])];
    const updates = optimizers
      .muon({ iterations: 1 })
      .update(parameters, parameters, { learningRate: stepScalar("rate", () => 1) });
    const products = matrixProducts(defineGraph({}, updates)).map(({ rows, inner, columns }) => [rows, inner, columns]);
    expect(products).toEqual([
      [3, 7, 3],
      [3, 3, 3],
      [3, 3, 7],
      [2, 9, 2],
      [2, 2, 2],
      [9, 2, 2],
      [5, 12, 5],
      [5, 5, 5],
      [12, 5, 5],
    ]);
  });

  test("does not move a matrix whose gradient is zero", async () => {
    const weight = parameter("weight", [2, 2], [1, 2, 3, 4]);
    const updates = optimizers
      .muon()
      .update([weight], [multiply(weight, 0)], { learningRate: stepScalar("rate", () => 1) });
    const { leaves } = await evaluate({}, { updates, steps: 2, leaves: [weight] });
    expect(leaves[0]).toEqual([1, 2, 3, 4]);
  });
});
