/*
 * Random numbers of the examples of a batch, from the first key of an augmentation.
 */
import { constant } from "../../graph/leaves.ts";
import type { Tensor } from "../../graph/tensor.ts";
import { add, floor, multiply } from "../../ops/elementwise/index.ts";
import { slice } from "../../ops/indexing/index.ts";
import { reshape } from "../../ops/layout/index.ts";
import { randomUniform } from "../../ops/random/index.ts";
import type { AugmentationContext } from "../augmentation.ts";

/** The columns of numbers [examples, columns], each [examples]. */
function columnsOf(numbers: Tensor): Tensor[] {
  const [examples, columns] = numbers.shape as [number, number];
  return Array.from({ length: columns }, (_, start) =>
    reshape(slice(numbers, [undefined, { start, end: start + 1 }]), [examples]),
  );
}

/**
 * Draws a number from each range for each example, uniform in [low, high).
 * @returns float32 [examples] for each range
 */
export function drawBetween(
  { keyAt }: AugmentationContext,
  examples: number,
  ranges: readonly (readonly [low: number, high: number])[],
): Tensor[] {
  const columns = columnsOf(randomUniform([examples, ranges.length], keyAt(0)));
  return ranges.map(([low, high], position) => add(multiply(columns[position]!, high - low), low));
}

/**
 * Draws a whole number in 0 … count − 1 from each count for each example.
 * @returns float32 [examples] for each count
 */
export function drawBelow({ keyAt }: AugmentationContext, examples: number, counts: readonly number[]): Tensor[] {
  // A draw is at most 1 − 2⁻²⁴, so that the product is below `count` also after rounding.
  return columnsOf(floor(multiply(randomUniform([examples, counts.length], keyAt(0)), constant(counts))));
}

/** One number per example, [examples], to broadcast to a tensor with `axes` axes. */
export const perExample = (values: Tensor, axes: number): Tensor =>
  reshape(values, [values.size, ...Array.from({ length: axes - 1 }, () => 1)]);
