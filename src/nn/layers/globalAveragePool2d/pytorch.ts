import type { PytorchForm } from "../forms.ts";
import { channelsFirst } from "../images-pytorch.ts";

export const pytorch: PytorchForm = (_, { inputShape }) => [
  ...channelsFirst(inputShape, 3, [{ code: "nn.AdaptiveAvgPool2d(1)" }]),
  { code: "nn.Flatten()" },
];
