import { expect, test } from "vitest";
import type { BackendRules } from "../../src/compiler/backend-rules.ts";
import { fuse, nodesOf, type Fusion } from "../../src/compiler/fuse.ts";
import { defineGraph, type Graph } from "../../src/graph/graph.ts";
import { input, parameter, state } from "../../src/graph/leaves.ts";
import type { Tensor } from "../../src/graph/tensor.ts";
import { add, multiply, select, subtract, tanh, toFloat } from "../../src/ops/elementwise/index.ts";
import { pack } from "../../src/ops/layout/index.ts";
import { matmul } from "../../src/ops/matmul/index.ts";
import { firstNonFinite, replaceIf } from "../../src/ops/non-finite/index.ts";
import { sum } from "../../src/ops/reduce/index.ts";
import { usualRules } from "./usual-rules.ts";

/** For each group the names of its nodes, then of what it gives to atomic results, and of the states it stores. */
const groupsOf = ({ groups }: Fusion) =>
  groups.map((group) => ({
    nodes: nodesOf(group).map(({ op }) => op.name),
    gives: group.atomics.map(({ value, offset }) => [value.op.name, offset]),
    stores: group.replacements.length,
  }));

const groups = (graph: Graph, changes: Partial<BackendRules> = {}) =>
  groupsOf(fuse(graph, { ...usualRules, ...changes }));

const left = input("left", [4, 16]);
const right = input("right", [4, 16]);
const weights = parameter("weights", [16, 16]);
const bias = parameter("bias", [16]);
const upstream = tanh(right);
const gradient = pack([matmul(left, upstream, { transposeLeft: true }), sum(upstream, { axes: 0 })]);
const packed = pack([weights, bias]);

/** A step that changes nothing where the gradient has a fault. */
function step(faultOf: Tensor, value: Tensor = subtract(packed, gradient)): Graph {
  const fault = firstNonFinite([faultOf]);
  return defineGraph({ fault }, [{ target: packed, value: select(toFloat(fault), packed, value) }]);
}

test("the kernels that make a packed gradient give to the result, whose scalars are computed where they are read", () => {
  expect(groups(step(gradient))).toEqual([
    { nodes: ["tanh"], gives: [], stores: 0 },
    {
      nodes: ["matmul", "sum"],
      gives: [
        ["matmul", 0],
        ["sum", 256],
      ],
      stores: 0,
    },
    { nodes: ["subtract", "select"], gives: [], stores: 0 },
  ]);
});

test("a backend whose kernels cannot has a kernel for the result", () => {
  const alone = groups(step(gradient), { atomics: false, recomputes: false });
  expect(alone.map(({ nodes }) => nodes)).toContainEqual(["firstNonFinite", "toFloat"]);
  expect(alone.flatMap(({ gives }) => gives)).toEqual([]);
});

test("what no kernel makes is read by a kernel that stores nothing", () => {
  const fusion = fuse(step(state("sum", [packed.size])), usualRules);
  expect(groupsOf(fusion)[0]).toEqual({ nodes: ["copy"], gives: [["copy", 0]], stores: 0 });
  expect(fusion.groups[0]!.outputs).toEqual([]);
});

test("a kernel that gives to a result does not read it", () => {
  const scaled = multiply(gradient, 2);
  expect(groups(step(scaled, subtract(packed, scaled)))).toEqual([
    { nodes: ["tanh"], gives: [], stores: 0 },
    { nodes: ["matmul", "sum"], gives: [], stores: 0 },
    { nodes: ["multiply", "subtract"], gives: [["multiply", 0]], stores: 0 },
    { nodes: ["select"], gives: [], stores: 0 },
  ]);
});

/** A step that counts faults in a state, in the way given. */
function counting(
  newValue: (fault: Tensor, count: Tensor) => Tensor,
  outputs: (count: Tensor) => Record<string, Tensor> = () => ({}),
) {
  const fault = firstNonFinite([gradient]);
  const count = state("count", []);
  return defineGraph({ fault, ...outputs(count) }, [
    { target: count, value: replaceIf(fault, count, newValue(fault, count)) },
  ]);
}

const stores = (graph: Graph, changes?: Partial<BackendRules>) => groups(graph, changes).map((group) => group.stores);

test("a state that follows from the result is stored by the kernels that give to it, after a chain of its own", () => {
  expect(groups(counting((_, count) => add(multiply(count, 2), 1)))).toEqual([
    { nodes: ["tanh"], gives: [], stores: 0 },
    {
      nodes: ["matmul", "sum"],
      gives: [
        ["matmul", 0],
        ["sum", 256],
      ],
      stores: 1,
    },
  ]);
});

test("it has a kernel of its own where another node reads the old value, or its new one needs the whole result", () => {
  const doubled = (_: Tensor, count: Tensor) => multiply(count, 2);
  expect(stores(counting(doubled, (count) => ({ old: count })))).not.toContain(1);
  expect(stores(counting(doubled, (count) => ({ old: add(count, left) })))).not.toContain(1);
  expect(stores(counting((fault, count) => add(count, toFloat(fault))))).not.toContain(1);
});

test("it has one as well where the kernels have no binding to spare", () => {
  const graph = counting((_, count) => multiply(count, 2));
  // Of the product: two operands, two results.
  expect(stores(graph, { mostBindings: 5 })).toContain(1);
  expect(stores(graph, { mostBindings: 4 })).not.toContain(1);
});
