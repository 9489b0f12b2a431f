/*
 * Running statistics: the mean and the variance that batch normalization uses outside training.
 */
import type { Update } from "../graph/graph.ts";
import type { Tensor } from "../graph/tensor.ts";
import { add, multiply } from "../ops/elementwise/index.ts";
import type { BatchMoments } from "./layers/layer.ts";

/**
 * The updates of running statistics after a step: r ← (1 − momentum) r + momentum · batch, with the variance of the batch
 * multiplied by n / (n − 1), as PyTorch does (Ioffe and Szegedy 2015, algorithm 2). If a layer is used several times in
 * a step, its uses follow each other.
 *
 * @example
 * ```ts
 * const moments: BatchMoments[] = [];
 * const outputs = model.apply(x, { training: true, recordMoments: (one) => moments.push(one) });
 * const graph = defineGraph({ loss }, [...optimizer.update(…), ...momentUpdates(moments)]);
 * ```
 *
 * @param moments what the layers of a model passed to `recordMoments`
 */
export function momentUpdates(moments: readonly BatchMoments[]): Update[] {
  const values = new Map<Tensor, Tensor>();
  const mix = (running: Tensor, batch: Tensor, momentum: number) => {
    const before = values.get(running) ?? running;
    values.set(running, add(multiply(before, 1 - momentum), multiply(batch, momentum)));
  };
  for (const { runningMean, runningVariance, mean, variance, count, momentum } of moments) {
    mix(runningMean, mean, momentum);
    mix(runningVariance, count > 1 ? multiply(variance, count / (count - 1)) : variance, momentum);
  }
  return Array.from(values, ([target, value]) => ({ target, value }));
}
