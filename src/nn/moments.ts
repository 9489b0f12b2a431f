/*
 * Running statistics: the mean and the variance that batch normalization uses outside training.
 */
import type { Update } from "../graph/graph.ts";
import type { Tensor } from "../graph/tensor.ts";
import { add, multiply } from "../ops/elementwise/index.ts";
import { pack } from "../ops/layout/index.ts";
import type { BatchMoments } from "./layers/layer.ts";

/**
 * The updates of running statistics after a step: r ← (1 − momentum) r + momentum · batch, with the variance of the batch
 * multiplied by n / (n − 1), as PyTorch does (Ioffe and Szegedy 2015, algorithm 2). If a layer is used several times in
 * a step, its uses follow each other. The means of all layers are updated in one pack, and so are the variances, so that
 * the number of kernels does not grow with the number of layers.
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
  const means = new Averages();
  const variances = new Averages();
  for (const { runningMean, runningVariance, mean, variance, count, momentum } of moments) {
    means.mix(runningMean, mean, momentum);
    variances.mix(runningVariance, count > 1 ? multiply(variance, count / (count - 1)) : variance, momentum);
  }
  return [...means.updates(), ...variances.updates()];
}

/** Moving averages after one or more new values each: decay · average + summand. */
class Averages {
  readonly #parts = new Map<Tensor, { readonly decay: number; readonly summand: Tensor }>();

  mix(average: Tensor, value: Tensor, share: number): void {
    const own = multiply(value, share);
    const before = this.#parts.get(average);
    this.#parts.set(average, {
      decay: (before?.decay ?? 1) * (1 - share),
      summand: before ? add(multiply(before.summand, 1 - share), own) : own,
    });
  }

  /** One update for all averages with the same decay. */
  updates(): Update[] {
    const decays = new Set([...this.#parts.values()].map(({ decay }) => decay));
    return [...decays].map((decay) => {
      const members = [...this.#parts].filter(([, part]) => part.decay === decay);
      const target = pack(members.map(([average]) => average));
      return { target, value: add(multiply(target, decay), pack(members.map(([, { summand }]) => summand))) };
    });
  }
}
