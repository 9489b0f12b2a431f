/*
 * The outer optimizer of DiLoCo (Douillard et al. 2023, arXiv 2311.08105, algorithm 1): the mean of the workers' changes
 * takes the place of a gradient, with its sign reversed.
 */
import type { ValueLayout } from "./layout.ts";

/** The options of the outer optimizer. */
export interface OuterOptions {
  /** The outer learning rate, above 0; 1 by default. 1 without momentum takes the mean change as it is. */
  readonly learningRate: number;
  /** The Nesterov momentum, in [0, 1); 0.5 by default. */
  readonly momentum: number;
}

/** OpenDiLoCo uses 0.7 and 0.9 for runs of hundreds of rounds, which were worse in 24 to 79 rounds on MNIST (docs/cluster.md). */
export const defaultOuter: OuterOptions = { learningRate: 1, momentum: 0.5 };

/** What a worker changed in a round. */
export interface WorkerChange {
  readonly worker: string;
  /** The number of examples that it saw, which is the weight of its change. */
  readonly examples: number;
  /** Its values after the round minus those before it. */
  readonly change: Float32Array;
  /** A factor of its change, below 1 if it was clipped. */
  readonly factor: number;
}

/** Orders workers by their ids, by code units: the order of the sum decides its bits. */
export const byWorker = (a: { readonly worker: string }, b: { readonly worker: string }): number =>
  a.worker < b.worker ? -1 : a.worker > b.worker ? 1 : 0;

/** The mean of the changes, weighted by the examples, added in float64 in the order of the workers' ids. */
export function meanChange(changes: readonly WorkerChange[]): Float32Array {
  const ordered = [...changes].sort(byWorker);
  const examples = ordered.reduce((total, one) => total + one.examples, 0);
  const sum = new Float64Array(ordered[0]!.change.length);
  for (const { change, examples: own, factor } of ordered) {
    const weight = (own / examples) * factor;
    for (let index = 0; index < sum.length; index++) sum[index]! += weight * change[index]!;
  }
  return Float32Array.from(sum);
}

/** The values of the model and the outer momentum, before or after a round. */
export interface OuterState {
  readonly values: Float32Array;
  readonly velocity: Float32Array;
}

/**
 * v ← μ v + c and w ← w + ε (c + μ v) for the mean change c of the parameters. States of layers, such as running
 * means, become the mean of the workers' states: w ← w + c.
 */
export function outerStep(
  layout: ValueLayout,
  { values, velocity }: OuterState,
  change: Float32Array,
  { learningRate, momentum }: OuterOptions,
): OuterState {
  const next = { values: values.slice(), velocity: velocity.slice() };
  for (const { first, size, isState } of layout.slices) {
    const [rate, share] = isState ? [1, 0] : [learningRate, momentum];
    for (let index = first; index < first + size; index++) {
      const moved = share * velocity[index]! + change[index]!;
      next.velocity[index] = moved;
      next.values[index] = values[index]! + rate * (change[index]! + share * moved);
    }
  }
  return next;
}
