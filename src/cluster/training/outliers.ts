/*
 * Changes that are far larger than those of the other workers of a round are clipped, so that one worker cannot ruin
 * the model.
 */

/** A change is clipped if its norm is above this multiple of the median norm of the round. */
export const OUTLIER_FACTOR = 4;

/** The fewest workers whose median says what is usual. */
const FEWEST_TO_COMPARE = 3;

/** The Euclidean norm, added in float64. */
export function normOf(values: Float32Array): number {
  let sum = 0;
  for (const value of values) sum += value * value;
  return Math.sqrt(sum);
}

/** The factor of each change: 1, or what reduces its norm to `OUTLIER_FACTOR` times the median. */
export function clippingFactors(norms: readonly number[]): number[] {
  if (norms.length < FEWEST_TO_COMPARE) return norms.map(() => 1);
  const sorted = [...norms].sort((a, b) => a - b);
  // The lower of two middle norms: with four workers, two large ones do not set the limit.
  const limit = OUTLIER_FACTOR * sorted[Math.floor((sorted.length - 1) / 2)]!;
  return norms.map((norm) => (norm > limit ? limit / norm : 1));
}
