import { activationModules } from "../activation/pytorch.ts";
import type { PytorchForm } from "../forms.ts";
import { argumentsCode, channelsFirst } from "../images-pytorch.ts";
import { weightAndBias } from "../permute.ts";
import { endsOf } from "./index.ts";

/** The weight of PyTorch's Conv1d is [outputs, channels / groups, window]. */
export const pytorch: PytorchForm = (config, { inputShape }) => {
  const { outputs, window, stride, dilation, groups, bias, activation } = config;
  const [before, after] = endsOf(config, inputShape[0]!);
  const isEven = before === after;
  const more = argumentsCode([
    ["stride", String(stride), "1"],
    ["padding", isEven ? String(before) : "0", "0"],
    ["dilation", String(dilation), "1"],
    ["groups", String(groups), "1"],
    ["bias", bias ? "True" : "False", "True"],
  ]);
  const code = `nn.Conv1d(${inputShape[1] ?? 1}, ${outputs as number}, ${window as number}${more})`;
  return channelsFirst(inputShape, 2, [
    ...(isEven ? [] : [{ code: `nn.ConstantPad1d((${before}, ${after}), 0)` }]),
    { code, parameters: weightAndBias([2, 1, 0], bias) },
    ...activationModules(activation),
  ]);
};
