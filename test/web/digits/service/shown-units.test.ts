import { expect, test } from "vitest";
import { chosenUnits, influencesOf, shownLayers } from "../../../../src/web/digits/service/shown-units.ts";

const layer = (inputs: number, units: number, ...values: number[]) => ({
  inputs,
  units,
  values: Float32Array.from(values),
});

test("the influence of a unit is the product of the norms of its incoming and outgoing weights", () => {
  // Incoming weights (3, 4) and (0, 1), outgoing weights (2, 0) and (5, 12).
  const influences = influencesOf(layer(2, 2, 3, 0, 4, 1), layer(2, 2, 2, 0, 5, 12));
  expect([...influences]).toEqual([10, 13]);
});

test("the most influential units are shown, and one makes way only for one that is clearly more influential", () => {
  const influences = Float64Array.from({ length: 20 }, (_, unit) => 100 + unit);
  const shown = chosenUnits(influences, undefined);
  expect([...shown]).toEqual(Array.from({ length: 16 }, (_, place) => place + 4));
  influences[0] = 150;
  expect([...chosenUnits(influences, shown)]).toEqual([...shown]);
  influences[0] = 157;
  expect([...chosenUnits(influences, shown)]).toEqual([0, ...shown.slice(1)]);
});

test("the weights between the shown units are those of the next layer's matrix, and all outputs are shown", () => {
  const [first, hidden, last] = [
    layer(1, 17, ...Array(17).fill(1)),
    layer(17, 2, ...Array(34).keys()),
    layer(2, 3, 1, 2, 3, 4, 5, 6),
  ];
  const layers = shownLayers([first!, hidden!, last!]);
  expect(layers.map(({ count, units }) => [count, units.length])).toEqual([
    [17, 16],
    [2, 2],
    [3, 3],
  ]);
  // The first unit has the smallest outgoing weights, 0 and 1.
  expect([...layers[0]!.units]).toEqual(Array.from({ length: 16 }, (_, place) => place + 1));
  expect([...layers[1]!.weights]).toEqual(Array.from({ length: 32 }, (_, index) => index + 2));
  expect([...layers[2]!.weights]).toEqual([1, 2, 3, 4, 5, 6]);
});
