/*
 * Which numbers float32 holds. Backends compute in it, so a number that enters a graph must be one of them: a larger one
 * would become infinite, and WGSL does not even compile it.
 */

/** The smallest number above 0 that every device keeps: smaller ones may be taken for 0. */
const SMALLEST = 2 ** -126;

/** Whether float32 holds a number, rounded: finite, and not so large that it would become infinite. */
export const isFloat32 = (value: unknown): value is number =>
  typeof value === "number" && Number.isFinite(Math.fround(value));

/** Whether float32 holds a number above 0: as isFloat32, and not so small that it would become 0. */
export const isPositiveFloat32 = (value: unknown): value is number => isFloat32(value) && value >= SMALLEST;

/** The first finite number of a list that would become infinite in float32. */
export const firstTooLarge = (values: ArrayLike<number>): number | undefined =>
  values instanceof Float32Array
    ? undefined
    : Array.prototype.find.call(values, (value: number) => Number.isFinite(value) && !isFloat32(value));

/** What to give, for messages. */
export const FLOAT32_RANGE = "a finite number that float32 holds (within ±3.4e38)";
export const POSITIVE_FLOAT32_RANGE = "a finite number above 0 that float32 holds (1.2e-38 to 3.4e38)";
