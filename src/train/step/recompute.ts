import type { Tensor } from "../../graph/tensor.ts";
import { requireNumber } from "../../nn/checks.ts";
import { gradients } from "../../ops/gradients.ts";
import { checkpointedGradients } from "../../ops/recompute.ts";

/** The gradients of a loss. With `recompute`, the outputs of every n-th layer are kept, and values between them computed again. */
export const gradientsOf = (
  loss: Tensor,
  trained: readonly Tensor[],
  { layers, recompute }: { readonly layers: readonly Tensor[]; readonly recompute: number | undefined },
): readonly Tensor[] =>
  recompute === undefined ? gradients(loss, trained) : checkpointedGradients(loss, trained, keptOf(layers, recompute));

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
