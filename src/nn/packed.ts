import type { Tensor } from "../graph/tensor.ts";
import { pack } from "../ops/layout/index.ts";

/** One gradient per parameter, or a flat vector in the layout of `pack(parameters)`. */
export type Gradients = readonly Tensor[] | Tensor;

/** The gradients as one flat vector. */
export const packGradients = (gradients: Gradients): Tensor => ("op" in gradients ? gradients : pack(gradients));
