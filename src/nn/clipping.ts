import type { Tensor } from "../graph/tensor.ts";
import { divide, greaterEqual, multiply, select, sqrt, square } from "../ops/elementwise/index.ts";
import { sum } from "../ops/reduce/index.ts";
import { requirePositiveFloat32 } from "./checks.ts";
import { packGradients, type Gradients } from "./packed.ts";

/** The Euclidean norm of all gradients together, a scalar. */
export const globalNorm = (gradients: Gradients): Tensor => sqrt(sum(square(packGradients(gradients))));

/**
 * Clips gradients by their global norm: if it exceeds maxNorm, all are scaled by maxNorm / norm (Pascanu, Mikolov and
 * Bengio 2013, algorithm 1). For norms above 1.8e19 the squares overflow float32 and the result is 0.
 * @param maxNorm above 0
 * @returns the flat vector of the gradients, in the layout of `pack`
 * @throws OptionError for a norm that is not positive and finite
 */
export function clipByGlobalNorm(gradients: Gradients, maxNorm: number): Tensor {
  requirePositiveFloat32("clipByGlobalNorm maxNorm", maxNorm);
  const gradient = packGradients(gradients);
  const norm = globalNorm(gradient);
  return multiply(gradient, select(greaterEqual(norm, maxNorm), divide(maxNorm, norm), 1));
}
