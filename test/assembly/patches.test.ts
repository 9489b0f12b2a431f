/*
 * The kernels that write windows of images where another kernel reads them, against cpu.ts, over windows of all kinds.
 */
import { beforeAll, expect, test } from "vitest";
import { input } from "../../src/graph/leaves.ts";
import type { DType } from "../../src/graph/tensor.ts";
import { patches } from "../../src/ops/convolution/patches.ts";
import { backwardWindows, elementOf, windowsOf, type Windows } from "../../src/ops/convolution/windows.ts";
import { Random } from "../../src/random.ts";
import { seed } from "../ops/parity.ts";
import { Machine, reference } from "./machine.ts";

let machine: Machine;

beforeAll(async () => {
  machine = await Machine.create();
});

type Shape = readonly [number, number, number, number];

const forward = (shape: Shape, kernel: readonly [number, number], options: Parameters<typeof windowsOf>[3]) =>
  windowsOf("test", shape, kernel, options);

const backward = (windows: Windows, size: readonly [number, number]) => backwardWindows(windows, size);

const cases: Readonly<Record<string, readonly [Shape, Windows, number]>> = {
  "3×3, same": [[2, 5, 7, 3], forward([2, 5, 7, 3], [3, 3], { padding: "same" }), 1],
  "16 channels, valid": [[1, 6, 9, 16], forward([1, 6, 9, 16], [3, 3], {}), 1],
  "wider than the image": [[1, 2, 2, 5], forward([1, 2, 2, 5], [3, 6], { padding: [2, 4] }), 1],
  "all padding": [[1, 1, 1, 2], forward([1, 1, 1, 2], [2, 2], { padding: 4 }), 1],
  strides: [[2, 8, 9, 4], forward([2, 8, 9, 4], [3, 2], { stride: [2, 3], padding: 1 }), 1],
  "gaps between windows": [[1, 17, 17, 1], forward([1, 17, 17, 1], [2, 2], { stride: 5 }), 1],
  dilation: [[1, 9, 8, 2], forward([1, 9, 8, 2], [3, 3], { dilation: [1, 2], padding: 2 }), 1],
  "dilation of the height": [[1, 9, 8, 2], forward([1, 9, 8, 2], [3, 3], { dilation: [2, 1], padding: 2 }), 1],
  groups: [[2, 4, 5, 6], forward([2, 4, 5, 6], [3, 3], { padding: "same" }), 3],
  "spread images": [[2, 4, 4, 3], backward(forward([2, 7, 8, 3], [3, 2], { stride: 2, padding: [1, 0] }), [7, 8]), 1],
};

test.each(Object.entries(cases))("%s", (_, [shape, windows, groups]) => {
  const random = new Random(seed);
  for (const dtype of ["float32", "uint32"] as const satisfies DType[]) {
    const fill = dtype === "float32" ? -3.5 : 9;
    const size = shape.reduce((product, axis) => product * axis, 1);
    const drawn = Array.from({ length: size }, () => random.below(1000) + 10);
    const values = dtype === "float32" ? Float32Array.from(drawn) : Uint32Array.from(drawn);
    const node = patches(input("image", shape, dtype), windows, { fill, groups });
    const expected = reference({ node, values: [values] });
    const [rows, columns] = [node.size / node.shape.at(-1)!, node.shape.at(-1)!];
    expect([...machine.elementsOf({ node, values: [values] }, 0, node.size)]).toEqual([...expected]);
    for (let drawing = 0; drawing < 20; drawing++) {
      const between = (most: number) => [random.below(most + 1), random.below(most + 1)].sort((a, b) => a - b);
      const [start, end] = between(node.size) as [number, number];
      expect([...machine.elementsOf({ node, values: [values] }, start, end)]).toEqual(
        Array.from(expected.slice(start, end)),
      );
      const [row, rowEnd] = between(rows) as [number, number];
      const [column, columnEnd] = between(columns) as [number, number];
      if (rowEnd === row || (rowEnd - row) * (columnEnd - column) < 2) continue;
      const block = expected.filter(
        (_value, index) =>
          index >= row * columns &&
          index < rowEnd * columns &&
          index % columns >= column &&
          index % columns < columnEnd,
      );
      const found = machine.rowsOf({ node, values: [values] }, row, rowEnd, column, columnEnd);
      expect([...found]).toEqual([...block]);
    }
  }
});

test("rows of a matrix with more than 2³² elements", () => {
  const shape: Shape = [16, 512, 512, 2];
  const windows = forward(shape, [25, 25], { padding: "same" });
  const values = Float32Array.from({ length: 16 * 512 * 512 * 2 }, (_, index) => index % 1009);
  const node = patches(input("image", shape), windows);
  const [rows, columns] = node.shape as [number, number];
  expect(rows * columns).toBeGreaterThan(2 ** 32);
  const found = machine.rowsOf({ node, values: [values] }, rows - 513, rows, 0, columns);
  const expected = Float32Array.from({ length: 513 * columns }, (_, index) => {
    const row = rows - 513 + Math.floor(index / columns);
    const place = Math.floor((index % columns) / 2);
    const y = elementOf(windows, 0, Math.floor(row / 512) % 512, Math.floor(place / 25), 512);
    const x = elementOf(windows, 1, row % 512, place % 25, 512);
    return y < 0 || x < 0 ? 0 : values[((15 * 512 + y) * 512 + x) * 2 + (index % 2)]!;
  });
  expect(found).toEqual(expected);
});
