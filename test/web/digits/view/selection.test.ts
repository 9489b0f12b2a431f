import { afterEach, expect, test } from "vitest";
import type { WeightsEvent } from "../../../../src/web/digits/contract.ts";
import { weights } from "../../../../src/web/digits/state/index.ts";
import { chosen, initial, inspected } from "../../../../src/web/digits/view/diagram/selection.ts";

/** Draws units of a hidden layer of 64 units, and ten outputs. */
function drawn(...units: number[]): void {
  const layers = [
    { count: 64, units: Uint32Array.from(units), weights: new Float32Array() },
    { count: 10, units: Uint32Array.from({ length: 10 }, (_, unit) => unit), weights: new Float32Array() },
  ];
  weights.value = { layers } as Partial<WeightsEvent> as WeightsEvent;
}

afterEach(() => {
  chosen.value = initial.value = weights.value = undefined;
});

test("shows the chosen unit, and another one when training no longer draws it, since only drawn units have weights", () => {
  expect(inspected.value).toBe(undefined);
  drawn(5, 20, 63);
  expect(inspected.value).toEqual({ layer: 0, unit: 5 });
  initial.value = { layer: 0, unit: 20 };
  expect(inspected.value).toEqual({ layer: 0, unit: 20 });
  chosen.value = { layer: 0, unit: 63 };
  expect(inspected.value).toEqual({ layer: 0, unit: 63 });
  drawn(5, 20, 40);
  expect(inspected.value).toEqual({ layer: 0, unit: 20 });
  drawn(5, 41, 40);
  expect(inspected.value).toEqual({ layer: 0, unit: 5 });
  drawn(5, 41, 63);
  expect(inspected.value).toEqual({ layer: 0, unit: 63 });
  chosen.value = { layer: 1, unit: 9 };
  expect(inspected.value).toEqual({ layer: 1, unit: 9 });
});
