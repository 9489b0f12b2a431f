/*
 * Generated functions against the float64 reference, op by op and case by case, called by ranges that are no multiples of
 * four.
 */
import { describe, expect, test } from "vitest";
import { nonFiniteCases, differencesOf } from "../ops/non-finite.ts";
import { parityTests } from "../ops/parity-suite.ts";
import { createHarness } from "./wasm-harness.ts";

/** Two thirds of the elements, some, and the rest. */
const unevenly = (size: number) => [Math.ceil(size / 1.5), Math.min(size, Math.ceil(size / 1.5) + 1), size];

describe("as the reference", () => {
  parityTests(async () => createHarness(unevenly));
});

describe("NaN and infinity", () => {
  test.each(nonFiniteCases)("$name", async (nonFinite) => {
    expect(await differencesOf(createHarness(), nonFinite)).toEqual([]);
  });
});
