import { expect, test } from "vitest";
import { fuse, nodesOf } from "../../src/compiler/fuse.ts";
import { defineGraph } from "../../src/graph/graph.ts";
import { input } from "../../src/graph/leaves.ts";
import type { Tensor } from "../../src/graph/tensor.ts";
import { add, relu, tanh } from "../../src/ops/elementwise/index.ts";
import { concat, flip, pad, slice, take } from "../../src/ops/indexing/index.ts";
import { reshape, transpose } from "../../src/ops/layout/index.ts";
import { matmul } from "../../src/ops/matmul/index.ts";
import { max } from "../../src/ops/reduce/index.ts";
import { usualRules } from "./usual-rules.ts";

/** The names of the ops of each group of a graph with one output. */
const groupsOf = (out: Tensor): string[][] =>
  fuse(defineGraph({ out }), usualRules).groups.map((group) => nodesOf(group).map(({ op }) => op.name));

const x = input("x", [4, 6]);
const y = input("y", [4, 6]);

test("ops that move elements of memory are read by position, and take no dispatch", () => {
  const moved = transpose(flip(slice(x, [{ start: 1 }, { step: 2 }]), 0));
  expect(groupsOf(relu(moved))).toEqual([["relu"]]);
  expect(groupsOf(matmul(moved, slice(pad(x, [1, 0]), [{ end: 3 }])))).toEqual([["matmul"]]);
  expect(groupsOf(max(concat([x, y]), { axes: 0 }))).toEqual([["max"]]);
  expect(groupsOf(tanh(take(x, input("indices", [3], "uint32"))))).toEqual([["tanh"]]);
});

test("a move is one dispatch where its result is an output", () => {
  expect(groupsOf(transpose(slice(x, [{ start: 1 }])))).toEqual([["transpose"]]);
});

test("what a move reads is computed into memory, also where the reader's own element is among it", () => {
  const computed = tanh(x);
  expect(groupsOf(add(computed, flip(computed, 0)))).toEqual([["tanh"], ["add"]]);
  expect(groupsOf(relu(transpose(computed)))).toEqual([["tanh"], ["relu"]]);
});

test("splitting into heads and joining them again takes no dispatch of its own", () => {
  const heads = transpose(reshape(tanh(x), [4, 2, 3]), [1, 0, 2]);
  const joined = reshape(transpose(relu(heads), [1, 0, 2]), [4, 6]);
  expect(groupsOf(matmul(joined, input("w", [6, 5])))).toEqual([["tanh"], ["relu"], ["matmul"]]);
});

test("a concatenation of more tensors than a kernel should bind is no part of what reads it by position", () => {
  const parts = Array.from({ length: 6 }, (_, index) => input(`part ${index}`, [2, 3]));
  expect(groupsOf(matmul(concat(parts), input("w", [3, 5])))).toEqual([["concat"], ["matmul"]]);
});
