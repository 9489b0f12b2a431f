import { stepScalar } from "../../graph/leaves.ts";
import type { Tensor } from "../../graph/tensor.ts";
import type { ApplyOptions, LayerContext } from "./layer.ts";

/** The key of a layer's random numbers in each step, a uint32 scalar. */
export function stepKey(
  { index, path }: Pick<LayerContext, "index" | "path">,
  { dropoutKeyAt }: Required<ApplyOptions>,
): Tensor {
  return stepScalar(`layers.${path}.key`, (step) => dropoutKeyAt(step, index), "uint32");
}
