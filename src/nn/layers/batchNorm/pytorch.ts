import { OptionError } from "../../../errors.ts";
import type { PytorchForm, PytorchModule } from "../forms.ts";
import { argumentsCode, channelsFirst } from "../images-pytorch.ts";
import { normParameters } from "../norms-pytorch.ts";
import { asIs } from "../permute.ts";

/**
 * PyTorch has a module for each number of axes. Its counter `num_batches_tracked` has no effect with a fixed momentum;
 * `load_state_dict` sets it to 0 if it is missing.
 */
export const pytorch: PytorchForm = ({ momentum, epsilon, affine }, { inputShape }) => {
  const axes = inputShape.length;
  if (axes > 4) {
    const what = `there is no module for batches of [${inputShape.join(", ")}]`;
    throw new OptionError({ where: "PyTorch batchNorm", what, fix: "Give it at most 4 axes per example" });
  }
  const more = argumentsCode([
    ["eps", String(epsilon), "0.00001"],
    ["momentum", String(momentum), "0.1"],
    ["affine", affine ? "True" : "False", "True"],
  ]);
  const norm: PytorchModule = {
    code: `nn.BatchNorm${Math.max(1, axes - 1)}d(${inputShape.at(-1)}${more})`,
    parameters: {
      ...normParameters(affine),
      runningMean: asIs("running_mean"),
      runningVariance: asIs("running_var"),
    },
  };
  return axes === 1 ? [norm] : channelsFirst(inputShape, axes, [norm]);
};
