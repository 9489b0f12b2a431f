import { expect, test } from "vitest";
import type { BackendRules } from "../../src/compiler/backend-rules.ts";
import { fuse, nodesOf, type Fusion } from "../../src/compiler/fuse.ts";
import { defineGraph, type Graph } from "../../src/graph/graph.ts";
import { input, parameter, stepScalar } from "../../src/graph/leaves.ts";
import type { Tensor } from "../../src/graph/tensor.ts";
import { add, multiply, tanh } from "../../src/ops/elementwise/index.ts";
import { takeBatch } from "../../src/ops/gather/index.ts";
import { matmul } from "../../src/ops/matmul/index.ts";
import { argmax, mean, sum } from "../../src/ops/reduce/index.ts";
import { softmaxCrossEntropyPerExample } from "../../src/ops/softmax/index.ts";
import { usualRules } from "./usual-rules.ts";

/** The names of the ops in each group. */
const groupsOf = (graph: Graph, rules: Partial<BackendRules> = {}): string[][] =>
  namesIn(fuse(graph, { ...usualRules, ...rules }));

const namesIn = ({ groups }: Fusion): string[][] => groups.map((group) => nodesOf(group).map(({ op }) => op.name));

const left = input("left", [4, 6]);
const right = input("right", [4, 3]);
const upstream = tanh(right);

/** The gradients of a layer's weights and bias. */
const layerGradients = defineGraph({
  weights: matmul(left, upstream, { transposeLeft: true }),
  bias: sum(upstream, { axes: 0 }),
});

test("a pointwise node joins the kernel whose result it reads at its own element", () => {
  const product = matmul(left, parameter("w", [6, 3]));
  expect(groupsOf(defineGraph({ out: tanh(add(product, right)) }))).toEqual([["matmul", "add", "tanh"]]);
});

test("the sum of the right operand's rows is fused with a product if the backend's kernel supports it", () => {
  expect(groupsOf(layerGradients)).toEqual([["tanh"], ["matmul", "sum"]]);
  expect(groupsOf(layerGradients, { canFuse: () => false })).toEqual([["tanh"], ["matmul"], ["sum"]]);
});

test("other reductions, and sums over other axes, are not fused with a product", () => {
  const weights = matmul(left, upstream, { transposeLeft: true });
  for (const other of [mean(upstream, { axes: 0 }), sum(upstream, { axes: 1 })]) {
    expect(groupsOf(defineGraph({ weights, other })).filter((names) => names.length > 1)).toEqual([]);
  }
});

test("a loss, its mean and an argmax of the logits are one kernel if the backend fuses reductions", () => {
  const labels = input("labels", [4], "uint32");
  const loss = softmaxCrossEntropyPerExample(right, labels);
  const graph = defineGraph({ mean: mean(loss), largest: argmax(right, { axes: -1 }) });
  expect(groupsOf(graph)).toEqual([["softmaxCrossEntropy", "mean", "argmax"]]);
  expect(groupsOf(graph, { fusesReductions: () => false })).toEqual([["softmaxCrossEntropy", "argmax"], ["mean"]]);
});

test("an argmax over axes other than the classes has its own kernel", () => {
  const loss = softmaxCrossEntropyPerExample(right, input("labels", [4], "uint32"));
  expect(groupsOf(defineGraph({ loss, largest: argmax(right, { axes: 0 }) }))).toEqual([
    ["softmaxCrossEntropy"],
    ["argmax"],
  ]);
});

test("a batch is taken in every kernel that reads it, or once if the backend does not recompute", () => {
  const start = stepScalar("start", (step) => step, "uint32");
  const batch = takeBatch(input("images", [20, 6], "uint8"), { start, count: 4 });
  const graph = defineGraph({ a: matmul(batch, parameter("w", [6, 3])), b: multiply(batch, 2) });
  expect(groupsOf(graph)).toEqual([["matmul"], ["multiply"]]);
  expect(groupsOf(graph, { recomputes: false })).toEqual([["matmul"], ["takeBatch", "multiply"]]);
});

test("a kernel binds no more buffers than the backend allows", () => {
  const inputs = Array.from({ length: 6 }, (_, at) => input(`x${at}`, [5]));
  const graph = defineGraph({ out: inputs.reduce<Tensor>((total, x) => add(total, x), inputs[0]!) });
  expect(groupsOf(graph, { mostBindings: 7 })).toHaveLength(1);
  for (const group of fuse(graph, { ...usualRules, mostBindings: 4 }).groups) {
    expect(group.inputs.length + group.outputs.length).toBeLessThanOrEqual(4);
  }
});
