import { activationModules } from "../activation/pytorch.ts";
import type { PytorchForm } from "../forms.ts";
import { weightAndBias } from "../permute.ts";

/** The weight of PyTorch's Linear is [outputs, inputs]. */
export const pytorch: PytorchForm = ({ units, activation, bias }, { inputShape }) => [
  {
    code: `nn.Linear(${inputShape.at(-1)}, ${units as number}${bias ? "" : ", bias=False"})`,
    parameters: weightAndBias([1, 0], bias),
  },
  ...activationModules(activation),
];
