/*
 * Nothing is timed before its result was compared with the CPU's in float64.
 */
import type { NumericArray } from "../backends/backend.ts";
import { WgradError } from "../errors.ts";

/** A result that is not what the reference says: what made it is not timed. */
export class ResultError extends WgradError {}

/** Half the distance of 1 to the next float32: one rounding to nearest. */
const UNIT_ROUNDOFF = 2 ** -24;

/** Subnormal numbers may be flushed to zero. */
const SMALLEST_NORMAL = 2 ** -126;

/** How far float32 may be from float64: |actual − expected| ≤ (16 √joined + units) · 2⁻²⁴ · scale. */
export interface Tolerance {
  /** Terms that are added up in one element; 0 if absent. */
  readonly joined?: number;
  /** For functions and single operations, in units of half a last place; 0 if absent, which with no sum is equality. */
  readonly units?: number;
  /** The largest expected value if absent. */
  readonly scale?: number;
}

/**
 * Compares every element.
 * @param where what was computed, for the message
 * @throws ResultError naming the first element that is off, both values and the bound
 */
export function requireClose(
  where: string,
  actual: NumericArray,
  expected: ArrayLike<number>,
  tolerance: Tolerance = {},
): void {
  if (actual.length !== expected.length) {
    throw wrong(where, `${actual.length} values came back, and ${expected.length} were expected`);
  }
  const { joined = 0, units = 0, scale = largestOf(expected) } = tolerance;
  const factor = (16 * Math.sqrt(joined) + units) * UNIT_ROUNDOFF;
  const bound = factor === 0 ? 0 : factor * scale + SMALLEST_NORMAL;
  for (let element = 0; element < expected.length; element++) {
    const error = Math.abs(actual[element]! - expected[element]!);
    // Not `error > bound`, which a NaN would pass.
    if (!(error <= bound)) {
      const values = `element ${element} is ${actual[element]}, and the CPU's is ${expected[element]}`;
      throw wrong(where, `${values}: ${error.toPrecision(3)} apart, where ${bound.toPrecision(3)} is allowed`);
    }
  }
}

/** The refusal to time something. */
export function wrong(where: string, what: string): ResultError {
  return new ResultError({ where, what, fix: "Nothing of it was timed; run the tests on this adapter" });
}

function largestOf(values: ArrayLike<number>): number {
  let largest = 0;
  for (let element = 0; element < values.length; element++) largest = Math.max(largest, Math.abs(values[element]!));
  return largest;
}
