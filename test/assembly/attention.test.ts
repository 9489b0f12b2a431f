/*
 * The kernels of attention and layer normalization against cpu.ts in float64: sizes around a block, operands computed by
 * functions, and the same bits however the units are divided.
 */
import { beforeAll, describe, expect, test } from "vitest";
import { topologicalOrder } from "../../src/graph/graph.ts";
import { input } from "../../src/graph/leaves.ts";
import type { Tensor } from "../../src/graph/tensor.ts";
import { fusedAttention } from "../../src/ops/attention/index.ts";
import { gradients } from "../../src/ops/gradients.ts";
import { layerNorm } from "../../src/ops/layer-norm/index.ts";
import { sum } from "../../src/ops/reduce/index.ts";
import { Random } from "../../src/random.ts";
import { UNIT_ROUNDOFF } from "../ops/accuracy.ts";
import { seed } from "../ops/parity.ts";
import { Machine, reference, unitsOf } from "./machine.ts";

let machine: Machine;

beforeAll(async () => {
  machine = await Machine.create();
});

const random = new Random(seed);

/** The nodes of some ops that the gradients of a result depend on. */
function nodesOf(result: Tensor, leaves: readonly Tensor[], names: readonly string[]): Tensor[] {
  const nodes = topologicalOrder(gradients(sum(result), leaves));
  const found = names.map((name) => nodes.find(({ op }) => op.name === name)!);
  expect(found.every(Boolean)).toBe(true);
  return found;
}

/** Values of an operand that a kernel can have: statistics of queries come with a sum that is not 0. */
const valuesOf = (tensor: Tensor) => Float32Array.from({ length: tensor.size }, () => random.uniform(0.25, 1));

/** Runs a node as a whole, in two parts, and with operands from functions. */
function check(node: Tensor, joined: number, values = node.inputs.map(valuesOf)): void {
  const example = { node, values };
  const whole = machine.run(example);
  const expected = reference(example);
  const largest = expected.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  const bound = 16 * UNIT_ROUNDOFF * Math.sqrt(joined) * Math.max(largest, 1);
  expected.forEach((value, element) => {
    const error = Math.abs(whole[element]! - value);
    if (!(error <= bound)) expect.fail(`seed ${seed}, ${node}: element ${element} is ${whole[element]}, not ${value}`);
  });
  const cuts = [random.below(unitsOf(example).units)].filter((cut) => cut > 0);
  expect(machine.run(example, { cuts })).toEqual(whole);
  expect(machine.run(example, { cuts, fills: values.map(() => true) })).toEqual(whole);
}

describe("attention", () => {
  const kernels = ["attention", "attentionQueryGradient", "attentionKeyValueGradient"];

  test.each([
    { queries: 1, keys: 1, width: 4, values: 4 },
    { queries: 3, keys: 3, width: 16, values: 16, causal: true },
    { queries: 17, keys: 65, width: 5, values: 3, masked: true },
    { queries: 65, keys: 65, width: 32, values: 32, causal: true, masked: true },
    { queries: 70, keys: 131, width: 6, values: 9, dropped: true },
    { queries: 130, keys: 130, width: 64, values: 64, causal: true, dropped: true },
    { queries: 257, keys: 257, width: 80, values: 16, causal: true },
  ])("%j", ({ queries, keys, width, values, causal = false, masked = false, dropped = false }) => {
    const q = input("q", [2, 2, queries, width]);
    const [k, v] = [input("k", [2, 2, keys, width]), input("v", [2, 2, keys, values])];
    const mask = input("mask", [2, 1, 1, keys]);
    const dropout = { rate: 0.5, key: input("key", [], "uint32") };
    const y = fusedAttention(q, k, v, { causal, ...(masked && { mask }), ...(dropped && { dropout }) });
    for (const node of nodesOf(y, [q, k, v], kernels)) {
      // After the operands with sizes of their own come the mask and the factors of dropout.
      const first = node.op.name === "attention" ? 3 : 6;
      const inputs = node.inputs.map((operand, position) =>
        position < first ? valuesOf(operand) : Float32Array.from({ length: operand.size }, () => random.below(2)),
      );
      check(node, queries + keys + width + values, inputs);
    }
  });
});

test.each([1, 3, 17, 64, 130, 2500])("layer normalization of rows of %i", (width) => {
  const x = input("x", [2, 9, width]);
  const affine = { weight: input("weight", [width]), bias: input("bias", [width]) };
  for (const result of [layerNorm(x), layerNorm(x, { affine })]) {
    for (const node of nodesOf(result, [x], ["rowMoments", "layerNormGradient"])) check(node, 16 * width);
  }
});
