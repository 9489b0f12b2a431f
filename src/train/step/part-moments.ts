/*
 * The moments of a divided step: those of its parts, combined.
 */
import type { Update } from "../../graph/graph.ts";
import { state } from "../../graph/leaves.ts";
import type { Tensor } from "../../graph/tensor.ts";
import type { BatchMoments } from "../../nn/layers/layer.ts";
import { add, multiply, square, subtract } from "../../ops/elementwise/index.ts";

/** The moments of the parts of a step so far, for one use of a layer: states, [channels]. */
interface Accumulated {
  readonly mean: Tensor;
  readonly variance: Tensor;
}

/** States for each use of a layer that records moments. */
export const accumulatedMoments = (ofPart: readonly BatchMoments[]): Accumulated[] =>
  ofPart.map(({ mean, variance }, use) => ({
    mean: state(`accumulatedMean.${use}`, mean.shape),
    variance: state(`accumulatedVariance.${use}`, variance.shape),
  }));

/** How a part is combined with the parts before it. */
export interface Combination {
  /** The value of an accumulating state before the part: 0 for the first part of a step. */
  before(accumulated: Tensor): Tensor;
  /** The share of the part's examples in those up to its end; 1 for the first part. */
  readonly share: Tensor;
}

/**
 * Adds a part: with the share s and δ = mean of the part − mean before, the mean becomes mean + s δ, and the variance
 * (1 − s) variance + s · variance of the part + s (1 − s) δ² (Chan, Golub and LeVeque 1979, equation 2.1, divided by the
 * number of values).
 */
export function combineMoments(
  accumulated: readonly Accumulated[],
  ofPart: readonly BatchMoments[],
  { before, share }: Combination,
): Update[] {
  const rest = subtract(1, share);
  return accumulated.flatMap((target, use) => {
    const { mean, variance } = ofPart[use]!;
    const [oldMean, oldVariance] = [before(target.mean), before(target.variance)];
    const change = subtract(mean, oldMean);
    const within = add(multiply(oldVariance, rest), multiply(variance, share));
    const between = multiply(square(change), multiply(share, rest));
    return [
      { target: target.mean, value: add(oldMean, multiply(change, share)) },
      { target: target.variance, value: add(within, between) },
    ];
  });
}

/**
 * The moments of the whole step.
 * @param factor the size of the batch divided by that of the part that `ofPart` belongs to
 */
export const momentsOfStep = (
  accumulated: readonly Accumulated[],
  ofPart: readonly BatchMoments[],
  factor: number,
): BatchMoments[] =>
  accumulated.map((values, use) => ({ ...ofPart[use]!, ...values, count: Math.round(ofPart[use]!.count * factor) }));
