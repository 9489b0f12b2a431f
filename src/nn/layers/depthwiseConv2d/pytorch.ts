import { convolutionModules } from "../conv2d/pytorch.ts";
import type { PytorchForm } from "../forms.ts";

export const pytorch: PytorchForm = (config, place) => {
  const channels = place.inputShape[2] ?? 1;
  return convolutionModules(config, place, {
    outputs: channels * (config["multiplier"] as number),
    groups: channels,
  });
};
