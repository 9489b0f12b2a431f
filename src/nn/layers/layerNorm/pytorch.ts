import type { PytorchForm } from "../forms.ts";
import { normParameters } from "../norms-pytorch.ts";

export const pytorch: PytorchForm = ({ epsilon, affine }, { inputShape }) => [
  {
    code: `nn.LayerNorm(${inputShape.at(-1)}, eps=${epsilon as number}${affine ? "" : ", elementwise_affine=False"})`,
    parameters: normParameters(affine),
  },
];
