import type { PytorchForm } from "../forms.ts";
import { toChannelsFirst } from "../images-pytorch.ts";

export const pytorch: PytorchForm = (_, { inputShape }) => [
  toChannelsFirst(inputShape, 3),
  { code: "nn.AdaptiveMaxPool2d(1)" },
  { code: "nn.Flatten()" },
];
