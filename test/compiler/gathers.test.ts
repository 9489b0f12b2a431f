import { expect, test } from "vitest";
import { fuse, nodesOf } from "../../src/compiler/fuse.ts";
import { defineGraph } from "../../src/graph/graph.ts";
import { input } from "../../src/graph/leaves.ts";
import type { Tensor } from "../../src/graph/tensor.ts";
import { upsampleNearest2d } from "../../src/ops/convolution/index.ts";
import { add, relu, tanh } from "../../src/ops/elementwise/index.ts";
import { concat, flip, pad, slice, split, stack, take, takeAlong, tile } from "../../src/ops/indexing/index.ts";
import { broadcastTo, reshape, transpose } from "../../src/ops/layout/index.ts";
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

const indices = input("indices", [4, 5], "uint32");

/** What moves elements of a matrix. */
const moves: readonly (readonly [name: string, move: (matrix: Tensor) => Tensor])[] = [
  ["slice", (matrix) => slice(matrix, [{ start: 1 }, { step: 2 }])],
  ["flip", (matrix) => flip(matrix, 1)],
  ["pad, constant", (matrix) => pad(matrix, [1, 0])],
  ["pad, edge", (matrix) => pad(matrix, [0, 2], { mode: "edge" })],
  ["pad, reflect", (matrix) => pad(matrix, [1, 2], { mode: "reflect" })],
  ["concat", (matrix) => concat([matrix, y], 1)],
  ["stack", (matrix) => reshape(stack([matrix, y]), [8, 6])],
  ["split", (matrix) => split(matrix, 3, 1)[1]!],
  ["take", (matrix) => reshape(take(matrix, indices), [20, 6])],
  ["takeAlong", (matrix) => takeAlong(matrix, indices, { axis: 1 })],
  ["transpose", (matrix) => transpose(matrix)],
];

test.each(moves)("%s takes no dispatch in a product or a chain, and one where its result is an output", (_, move) => {
  const moved = move(x);
  const [rows, columns] = moved.shape as [number, number];
  expect(groupsOf(matmul(moved, input("right", [columns, 3])))).toEqual([["matmul"]]);
  expect(groupsOf(matmul(input("left", [5, rows]), moved))).toEqual([["matmul"]]);
  expect(groupsOf(relu(moved))).toEqual([["relu"]]);
  expect(groupsOf(moved)).toHaveLength(1);
  expect(groupsOf(matmul(transpose(relu(flip(moved, 0))), input("w", [rows, 2])))).toEqual([["relu"], ["matmul"]]);
});

/** What repeats the elements of a matrix. */
const repetitions: typeof moves = [
  ["tile", (matrix) => tile(matrix, [2, 3])],
  ["broadcastTo", (matrix) => reshape(broadcastTo(reshape(matrix, [4, 6, 1]), [4, 6, 3]), [24, 3])],
  ["upsampleNearest2d", (matrix) => reshape(upsampleNearest2d(reshape(matrix, [1, 4, 6, 1]), 2), [8, 12])],
];

test.each(repetitions)(
  "%s takes no dispatch in a chain, and one where a product reads it or it is an output",
  (_, repeat) => {
    const repeated = repeat(x);
    expect(groupsOf(matmul(repeated, input("right", [repeated.shape[1]!, 3])))).toEqual([["broadcastTo"], ["matmul"]]);
    expect(groupsOf(relu(repeated))).toEqual([["broadcastTo", "relu"]]);
    expect(groupsOf(repeated)).toEqual([["broadcastTo"]]);
  },
);

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
