import { expect, test } from "vitest";
import {
  explain,
  filterOf,
  patchArea,
  receptiveField,
  stages,
  valueAt,
  type NetworkValues,
} from "../../../src/web/convolution/stages.ts";

test("the stages are those of LeNet-5 with fewer maps", () => {
  expect(stages.map(({ side, inputMaps }) => [side, inputMaps])).toEqual([
    [24, 1],
    [12, 8],
    [8, 8],
    [4, 16],
  ]);
});

test("a receptive field grows by each window, times the strides before it", () => {
  const at = (stage: number, row: number, column: number) => receptiveField({ stage, map: 0, row, column });
  expect(at(0, 3, 7)).toEqual({ row: 3, column: 7, side: 5 });
  expect(at(1, 3, 7)).toEqual({ row: 6, column: 14, side: 6 });
  expect(at(2, 3, 7)).toEqual({ row: 6, column: 14, side: 14 });
  expect(at(3, 3, 1)).toEqual({ row: 12, column: 4, side: 16 });
  // The last pixels see the edge of the picture.
  stages.forEach(({ side }, stage) => {
    const field = at(stage, side - 1, side - 1);
    expect(field.row + field.side).toBe(28);
  });
  expect(patchArea({ stage: 3, map: 5, row: 3, column: 1 })).toEqual({ row: 6, column: 2, side: 2 });
});

/** A network whose values tell where they are from. */
const network: NetworkValues = {
  picture: Uint8Array.from({ length: 784 }, (_, index) => index % 251),
  maps: stages.map(({ side, maps }, stage) =>
    Float32Array.from({ length: side ** 2 * maps }, (_, i) => (i % 97) + stage),
  ),
  filters: [
    {
      weights: Float32Array.from({ length: 200 }, (_, index) => index),
      biases: Float32Array.of(0, 0, 7, 0, 0, 0, 0, 0),
    },
    { weights: Float32Array.from({ length: 3200 }, (_, index) => index), biases: new Float32Array(16) },
  ],
};

test("a filter is read from the weights of its map and its input map, row by row", () => {
  expect([...filterOf(network, 0, 2, 0)].slice(0, 6)).toEqual([2, 10, 18, 26, 34, 42]);
  const second = filterOf(network, 2, 3, 5);
  expect(second).toHaveLength(25);
  // 16 maps of 8 input maps: weight [row 1, column 2, input 5, map 3].
  expect(second[7]).toBe(((1 * 5 + 2) * 8 + 5) * 16 + 3);
});

test("a pixel of a convolution is the sum of all products and the bias", () => {
  const { parts, bias, total } = explain(network, { stage: 0, map: 2, row: 4, column: 9 });
  expect(parts).toHaveLength(1);
  // Row 1, column 2 of the patch is row 5, column 11 of the picture.
  expect(parts[0]!.patch[7]).toBeCloseTo(((5 * 28 + 11) % 251) / 255, 6);
  expect(bias).toBe(7);
  const products = Array.from(parts[0]!.patch, (value, index) => value * parts[0]!.filter[index]!);
  expect(total).toBeCloseTo(products.reduce((sum, product) => sum + product) + 7, 2);
  const deep = explain(network, { stage: 2, map: 3, row: 1, column: 2 });
  expect(deep.parts).toHaveLength(8);
  expect(deep.parts[6]!.patch[8]).toBe(valueAt(network.maps[1]!, { stage: 1, map: 6, row: 2, column: 5 }));
  expect(deep.total).toBeCloseTo(
    deep.parts.reduce((sum, part) => sum + part.sum, 0),
    3,
  );
});

test("a pixel of a pooled map is the largest value of its own map", () => {
  const pixel = { stage: 1, map: 4, row: 5, column: 6 };
  const { parts, total } = explain(network, pixel);
  const around = [10, 11].flatMap((row) =>
    [12, 13].map((column) => valueAt(network.maps[0]!, { stage: 0, map: 4, row, column })),
  );
  expect([...parts[0]!.patch]).toEqual(around);
  expect(total).toBe(Math.max(...around));
});
