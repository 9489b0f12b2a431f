/*
 * Compares results with the CPU backend in float64, before anything is timed.
 */
import type { NumericArray } from "../backends/backend.ts";
import { WgradError } from "../errors.ts";

/** A result that differs from the reference; its kernel or step is not timed. */
export class ResultError extends WgradError {}

/** Half the distance from 1 to the next float32: the error of one rounding to nearest. */
const UNIT_ROUNDOFF = 2 ** -24;

/** Subnormal numbers may be flushed to zero, so smaller differences are accepted. */
const SMALLEST_NORMAL = 2 ** -126;

/** The error bound of float32: |actual − expected| ≤ (16 √joined + units) · 2⁻²⁴ · scale. */
export interface Tolerance {
  /** The number of terms that are summed in one element; 0 by default. */
  readonly joined?: number;
  /** The error of functions and single operations, in half ULPs; 0 by default. With both 0, values must be equal. */
  readonly units?: number;
  /** The largest absolute expected value by default. */
  readonly scale?: number;
}

/**
 * Compares all elements.
 * @param where what was computed, for the message
 * @throws ResultError with the first element that differs, both values and the bound
 */
export function requireClose(
  where: string,
  actual: NumericArray,
  expected: ArrayLike<number>,
  tolerance: Tolerance = {},
): void {
  if (actual.length !== expected.length) {
    throw wrong(where, `${actual.length} values were returned, but ${expected.length} were expected`);
  }
  const { joined = 0, units = 0, scale = largestOf(expected) } = tolerance;
  const factor = (16 * Math.sqrt(joined) + units) * UNIT_ROUNDOFF;
  const bound = factor === 0 ? 0 : factor * scale + SMALLEST_NORMAL;
  for (let element = 0; element < expected.length; element++) {
    const error = Math.abs(actual[element]! - expected[element]!);
    // Not `error > bound`, which is false for NaN.
    if (!(error <= bound)) {
      const values = `element ${element} is ${actual[element]}, but ${expected[element]} on the CPU`;
      throw wrong(where, `${values}: they differ by ${error.toPrecision(3)}, and ${bound.toPrecision(3)} is allowed`);
    }
  }
}

/** The error for a wrong result. */
export function wrong(where: string, what: string): ResultError {
  return new ResultError({ where, what, fix: "It was not timed; run the tests on this adapter" });
}

function largestOf(values: ArrayLike<number>): number {
  let largest = 0;
  for (let element = 0; element < values.length; element++) largest = Math.max(largest, Math.abs(values[element]!));
  return largest;
}
