import type { PytorchParameter } from "./forms.ts";
import { asIs } from "./permute.ts";

/** The parameters of a normalization layer, depending on its option "affine". */
export const normParameters = (affine: unknown): Record<string, PytorchParameter> =>
  affine === true ? { weight: asIs("weight"), bias: asIs("bias") } : {};
