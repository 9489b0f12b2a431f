/*
 * Which numbers float32 can represent. Backends compute in float32, so numbers in graphs must be in its range: a larger
 * one would become infinite, and does not compile in WGSL.
 */

/** The smallest number above 0 that every device can represent. Smaller ones may be flushed to 0. */
const SMALLEST = 2 ** -126;

/** Whether a number is in the range of float32: finite, also after rounding. */
export const isFloat32 = (value: unknown): value is number =>
  typeof value === "number" && Number.isFinite(Math.fround(value));

/** Whether a number is in the range of float32 and above 0, also after rounding. */
export const isPositiveFloat32 = (value: unknown): value is number => isFloat32(value) && value >= SMALLEST;

/** The first finite number of a list that is outside the range of float32. */
export const firstTooLarge = (values: ArrayLike<number>): number | undefined =>
  values instanceof Float32Array
    ? undefined
    : Array.prototype.find.call(values, (value: number) => Number.isFinite(value) && !isFloat32(value));

/** The allowed ranges, for messages. */
export const FLOAT32_RANGE = "a finite number in the range of float32 (±3.4e38)";
export const POSITIVE_FLOAT32_RANGE = "a finite number above 0 in the range of float32 (1.2e-38 to 3.4e38)";
