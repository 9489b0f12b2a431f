import type { PytorchParameter } from "./forms.ts";
import { asIs } from "./permute.ts";

/** The parameters of a layer that normalizes, by its option "affine". */
export const normParameters = (affine: unknown): Record<string, PytorchParameter> =>
  affine === true ? { weight: asIs("weight"), bias: asIs("bias") } : {};
