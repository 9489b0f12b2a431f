import type { PytorchForm, PytorchModule } from "../forms.ts";
import { channelsFirst } from "../images-pytorch.ts";
import { normParameters } from "../norms-pytorch.ts";

export const pytorch: PytorchForm = ({ groups, epsilon, affine }, { inputShape }) => {
  const norm: PytorchModule = {
    code: `nn.GroupNorm(${groups as number}, ${inputShape.at(-1)}, eps=${epsilon as number}${affine ? "" : ", affine=False"})`,
    parameters: normParameters(affine),
  };
  return inputShape.length === 1 ? [norm] : channelsFirst(inputShape, inputShape.length, [norm]);
};
