import { expect, test } from "vitest";
import type { WeightsEvent } from "../../../../src/web/digits/contract.ts";
import { pixelEdges, unitEdges } from "../../../../src/web/digits/view/diagram/edges.ts";
import { layoutOf } from "../../../../src/web/digits/view/diagram/layout.ts";

test.each([
  [280, 360],
  [620, 330],
])("the units of each layer are in a column inside %d × %d pixels, apart from the image", (width, height) => {
  const { picture, units } = layoutOf(width, height, [16, 16, 10]);
  expect(units.map((column) => column.length)).toEqual([16, 16, 10]);
  const [first, middle, last] = units.map((column) => column[0]!.x) as [number, number, number];
  expect(first).toBeGreaterThan(picture.side + 20);
  expect(middle - first).toBeCloseTo(last - middle);
  expect(last).toBeLessThan(width - 10);
  for (const { y } of units.flat()) expect(y > 0 && y < height).toBe(true);
  expect(units[0]![1]!.y - units[0]![0]!.y).toBeCloseTo(height / 16);
});

test("an edge between units has the strength of weight times output, relative to the strongest", () => {
  const [from, to] = [
    [
      { x: 0, y: 0 },
      { x: 0, y: 1 },
    ],
    [
      { x: 9, y: 0 },
      { x: 9, y: 1 },
    ],
  ];
  const layer = { count: 8, units: Uint32Array.of(5, 7), weights: new Float32Array() };
  const next = { count: 2, units: Uint32Array.of(0, 1), weights: Float32Array.of(1, -2, 3, 0.01) };
  const outputs = Float32Array.of(9, 9, 9, 9, 9, 4, 9, 2);
  const edges = unitEdges(layer, next, outputs, from, to);
  // 1 · 4, −2 · 4 and 3 · 2, over 8. The last one, 0.02 / 8, is too weak to be drawn.
  expect(edges.map(({ strength }) => strength)).toEqual([0.5, -1, 0.75]);
  expect(edges.map((edge) => [edge.from.y, edge.to.y])).toEqual([
    [0, 0],
    [0, 1],
    [1, 0],
  ]);
});

test("a unit is connected to the inked pixels through which most flows", () => {
  const tiles = new Int8Array(2 * 784);
  tiles.fill(100, 0, 784);
  tiles[784 + 29] = -50;
  tiles[784 + 30] = 100;
  const shown = { count: 3, units: Uint32Array.of(2), weights: new Float32Array() };
  const now = { tiles, tileUnits: Uint32Array.of(1, 2), layers: [shown] } as Partial<WeightsEvent> as WeightsEvent;
  const ink = new Uint8Array(784);
  ink[29] = 200;
  ink[30] = 50;
  ink[31] = 255;
  const layout = layoutOf(400, 280, [1]);
  const edges = pixelEdges(now, ink, layout);
  expect(edges.map(({ strength }) => strength)).toEqual([-1, 0.5]);
  // Pixel 29 is the second one of the second row.
  const { picture } = layout;
  expect(edges[0]!.from.x).toBeCloseTo(picture.x + (1.5 * picture.side) / 28);
  expect(edges[0]!.from.y).toBeCloseTo(picture.y + (1.5 * picture.side) / 28);
});
