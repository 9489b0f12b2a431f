/* The gradients of a scalar in float64, against central differences. */
import { createCpuBackend } from "../../src/backends/cpu/index.ts";
import { defineGraph } from "../../src/graph/graph.ts";
import type { Tensor } from "../../src/graph/tensor.ts";
import type { InputValues } from "./cases.ts";
import { evaluate, type Outputs } from "./evaluate.ts";

/** The tolerance |a − n| / max(1, |a|, |n|) between the analytic and the numeric gradient. */
export const LARGEST_DIFFERENCE = 1e-6;

/**
 * The step relative to max(1, |x|). Differences over four points have an error of STEP⁴ and a rounding error of
 * 2⁻⁵³ / STEP, which are balanced near the fifth root of 2⁻⁵³. A power of two, so that x ± STEP is exact near 1.
 */
export const STEP = 2 ** -11;

export const judge = createCpuBackend({ precision: "float64" });

export interface GradientQuestion {
  readonly loss: Tensor;
  readonly leaves: Readonly<Record<string, Tensor>>;
  readonly values: InputValues;
  /** The leaves to differentiate by. */
  readonly names: readonly string[];
}

/** (8 (f(x + h) − f(x − h)) − (f(x + 2h) − f(x − 2h))) / 12h for every element of every given leaf. */
export async function numericGradients({ loss, leaves, values, names }: GradientQuestion): Promise<Outputs> {
  const session = judge.createSession();
  const executable = await session.compile(defineGraph({ loss }));
  for (const [name, leaf] of Object.entries(leaves)) session.write(leaf, values[name]!);
  // Writes and runs are executed in the order of the calls, so there is no need to wait between them.
  const lossAt = async (leaf: Tensor, element: number, value: number) => {
    session.write(leaf, Float64Array.of(value), element);
    return (await executable.run(0, 1))["loss"]![0]!;
  };
  const slope = async (leaf: Tensor, element: number, x: number) => {
    const h = STEP * Math.max(1, Math.abs(x));
    const losses = [1, -1, 2, -2].map((steps) => lossAt(leaf, element, x + steps * h));
    session.write(leaf, Float64Array.of(x), element);
    const [above, below, farAbove, farBelow] = (await Promise.all(losses)) as [number, number, number, number];
    return (8 * (above - below) - (farAbove - farBelow)) / (12 * h);
  };
  const results = names.map(async (name) => {
    const slopes = Array.from(values[name]!, (x, element) => slope(leaves[name]!, element, x));
    return [name, Float64Array.from(await Promise.all(slopes))] as const;
  });
  return Object.fromEntries(await Promise.all(results));
}

export interface Difference {
  readonly where: string;
  readonly analytic: number;
  readonly numeric: number;
  /** |a − n| / max(1, |a|, |n|), or infinity for NaN. */
  readonly difference: number;
}

/** The element with the largest difference between the two gradients. */
export function largestDifference(analytic: Outputs, numeric: Outputs): Difference {
  let largest: Difference = { where: "nowhere", analytic: 0, numeric: 0, difference: 0 };
  for (const [name, values] of Object.entries(numeric)) {
    values.forEach((n, element) => {
      const a = analytic[name]![element]!;
      const relative = Math.abs(a - n) / Math.max(1, Math.abs(a), Math.abs(n));
      const difference = Number.isNaN(relative) ? Infinity : relative;
      if (difference <= largest.difference) return;
      largest = { where: `${name}[${element}]`, analytic: a, numeric: n, difference };
    });
  }
  return largest;
}

/** Computes the gradients of a graph and compares them with numeric ones. */
export async function compareGradients(
  question: GradientQuestion,
  found: Readonly<Record<string, Tensor>>,
  numeric: Outputs,
): Promise<Difference> {
  return largestDifference(await evaluate(judge, found, question.leaves, question.values), numeric);
}
