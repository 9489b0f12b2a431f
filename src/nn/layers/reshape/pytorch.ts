import type { Shape } from "../../../graph/tensor.ts";
import type { PytorchForm } from "../forms.ts";

/** PyTorch's Unflatten splits one axis. */
export const pytorch: PytorchForm = ({ shape }, { inputShape }) => [
  ...(inputShape.length > 1 ? [{ code: "nn.Flatten()" }] : []),
  { code: `nn.Unflatten(1, [${(shape as Shape).join(", ")}])` },
];
