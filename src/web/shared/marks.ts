/*
 * The places of a slider whose scale is logarithmic.
 */
import type { RangeField } from "./address/codec.ts";

const WITHIN_A_DECADE = [1, 1.5, 2, 3, 5, 7];

/** The values of a slider in increasing order: powers of two for whole numbers, and otherwise six for each power of ten. */
export function marksOf({ min, max, whole }: Pick<RangeField, "min" | "max" | "whole">): number[] {
  const candidates = whole
    ? Array.from({ length: Math.ceil(Math.log2(max)) + 1 }, (_, power) => 2 ** power)
    : Array.from({ length: Math.ceil(Math.log10(max) - Math.log10(min)) + 1 }, (_, decade) =>
        // Written as text, since products of powers of ten are rounded.
        WITHIN_A_DECADE.map((first) => Number(`${first}e${Math.floor(Math.log10(min)) + decade}`)),
      ).flat();
  return candidates.filter((value) => value >= min && value <= max);
}

/** The index of the mark whose ratio to a value is nearest to 1. */
export function nearestMark(marks: readonly number[], value: number): number {
  const distances = marks.map((mark) => Math.abs(Math.log(mark / value)));
  return distances.indexOf(Math.min(...distances));
}
