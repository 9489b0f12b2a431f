import type { Tensor } from "../../graph/tensor.ts";
import { requireNumber } from "../../nn/checks.ts";
import { checkpointedGradients } from "../../ops/recompute.ts";
import type { GradientsOf } from "./graphs.ts";

/** Keeps the outputs of every n-th layer, and computes values between them again. */
export const recomputing =
  (recompute: number): GradientsOf =>
  (loss, trained, layers) =>
    checkpointedGradients(loss, trained, keptOf(layers, recompute));

/**
 * The outputs of every n-th layer.
 * @throws OptionError if there are not so many layers
 */
function keptOf(layers: readonly Tensor[], recompute: number): Tensor[] {
  const outputs = [...new Set(layers)];
  const range = `a number below ${outputs.length}, that of the layers`;
  requireNumber("recompute", recompute, recompute < outputs.length, range);
  return outputs.filter((_, position) => (position + 1) % recompute === 0);
}
