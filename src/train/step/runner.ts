import type { DispatchDescription, Executable } from "../../backends/backend.ts";
import type { Tensor } from "../../graph/tensor.ts";
import type { Totals } from "../objective.ts";

/** The metrics of the steps of one submit. */
export interface StepMetrics {
  /** The mean loss over the batch of each step. */
  readonly losses: ArrayLike<number>;
  /** The number of right predictions of each step; of classes only. */
  readonly correct?: ArrayLike<number> | undefined;
  /** Where steps are guarded: 0 for a finite step, see `placeOfFault`. */
  readonly faults?: ArrayLike<number> | undefined;
  /** The norm of the gradient of each step, where it is measured. */
  readonly gradientNorms?: ArrayLike<number> | undefined;
  /** The metrics of the user for each step, by name, if there are any. */
  readonly metrics?: Readonly<Record<string, ArrayLike<number>>> | undefined;
}

const METRIC_PREFIX = "metric.";

/** The name of the output of a graph that has a metric of the user. */
export const metricOutput = (name: string): string => `${METRIC_PREFIX}${name}`;

/** Totals as outputs of a graph. */
export function namedTotals({
  metrics,
  ...totals
}: Totals): Omit<Totals, "metrics"> & Readonly<Record<string, Tensor>> {
  const named = Object.entries(metrics).map(([name, metric]) => [metricOutput(name), metric] as const);
  return { ...totals, ...Object.fromEntries(named) };
}

/** A compiled step. */
export interface StepRunner {
  /** What one step runs, in order. */
  readonly dispatches: readonly DispatchDescription[];
  /** The bytes of the values of a step, see `Executable.bytes`. */
  readonly bytes: number | undefined;
  /** The optimizer's states. */
  readonly states: readonly Tensor[];
  /** Submits steps first … first + count − 1 at once. */
  run(first: number, count: number): Promise<StepMetrics>;
  /** Runs one step dispatch by dispatch, for the nanoseconds of each; absent where that is not possible. */
  readonly profile: ((step: number) => Promise<number[]>) | undefined;
  /** What runs a whole step; undefined where a step is divided into parts. */
  readonly executable: Executable | undefined;
}
