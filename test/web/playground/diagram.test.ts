import { afterEach, expect, test } from "vitest";
import { change, initialState, playgroundState } from "../../../src/web/playground/state/index.ts";
import { edgeAt, edgesOf, layoutOf } from "../../../src/web/playground/view/diagram/layout.ts";
import { networkOf, toggleInput, valueAt } from "../../../src/web/playground/view/diagram/network.ts";
import type { Frame } from "../../../src/web/playground/contract.ts";

afterEach(() => {
  playgroundState.value = initialState;
});

/** The inputs x, x² and sin 5y, and a layer of two units. */
function small() {
  change("classify", { features: ["x", "xx", "siny"], layers: [{ units: 2, activation: "tanh" }] });
  return networkOf("classify");
}

test("an edge for each weight, from the inputs that are chosen", () => {
  const layout = layoutOf(small());
  const edges = edgesOf(layout);
  expect(edges.map(({ place: { layer, unit, input } }) => [layer, unit, input])).toEqual([
    [0, 0, 0],
    [0, 0, 1],
    [0, 0, 2],
    [0, 1, 0],
    [0, 1, 1],
    [0, 1, 2],
    [1, 0, 0],
    [1, 0, 1],
  ]);
  // x, x² and sin 5y are the first, third and last of seven inputs.
  const downs = edges.slice(0, 3).map(({ from }) => from.down);
  expect(downs).toEqual([0, 2, 6].map((unit) => layout.height / 2 + (unit - 3) * layout.row));
});

test("a place near a curve belongs to its edge", () => {
  const layout = layoutOf(small());
  for (const edge of edgesOf(layout)) {
    // A quarter of the way, where the curves of different units are apart: the Bézier curve's own formula.
    const t = 0.25;
    const bezier = (start: number, first: number, second: number, end: number) =>
      (1 - t) ** 3 * start + 3 * (1 - t) ** 2 * t * first + 3 * (1 - t) * t ** 2 * second + t ** 3 * end;
    const middle = (edge.from.share + edge.to.share) / 2;
    const share = bezier(edge.from.share, middle, middle, edge.to.share);
    const down = bezier(edge.from.down, edge.from.down, edge.to.down, edge.to.down);
    expect(edgeAt(layout, share, down)?.place).toEqual(edge.place);
  }
  expect(edgeAt(layout, 0.01, 5)).toBeUndefined();
});

test("the value of a weight, and the difference of both with two outputs", () => {
  const network = small();
  const frame = {
    weights: [Float32Array.of(1, 2, 3, 4, 5, 6), Float32Array.of(0.5, 2, 1, 4)],
    biases: [Float32Array.of(7, 8), Float32Array.of(1, 3)],
  } as unknown as Frame;
  expect(valueAt(network, frame, { layer: 0, unit: 1, input: 2 })).toBe(6);
  expect(valueAt(network, frame, { layer: 0, unit: 1 })).toBe(8);
  expect(valueAt(network, frame, { layer: 1, unit: 0, input: 1 })).toBe(3);
  expect(valueAt(network, frame, { layer: 1, unit: 0 })).toBe(2);
  // A frame from before a change of the layers.
  change("classify", { layers: [{ units: 3, activation: "tanh" }] });
  expect(valueAt(networkOf("classify"), frame, { layer: 0, unit: 1, input: 2 })).toBeUndefined();
});

test("inputs keep their order, and the last one stays", () => {
  toggleInput("regress", 3);
  toggleInput("regress", 1);
  expect(playgroundState.value.regress.features).toEqual(["x", "xx", "sinx"]);
  for (const feature of [0, 1, 3]) toggleInput("regress", feature);
  expect(playgroundState.value.regress.features).toEqual(["sinx"]);
});
