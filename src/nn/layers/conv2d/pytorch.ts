import { activationModules } from "../activation/pytorch.ts";
import type { LayerPlace, PytorchForm, PytorchModule } from "../forms.ts";
import { argumentsCode, channelsFirst, layerSides, paddingCode, pairCode } from "../images-pytorch.ts";
import type { LayerWindows } from "../images.ts";
import type { LayerConfig } from "../layer.ts";
import { weightAndBias } from "../permute.ts";

/** The modules of a convolution with the given numbers of outputs and groups. */
export function convolutionModules(
  config: LayerConfig,
  { inputShape }: LayerPlace,
  { outputs, groups }: { readonly outputs: number; readonly groups: number },
): PytorchModule[] {
  const windows = config as unknown as LayerWindows;
  const { padding, before } = paddingCode(layerSides("conv2d", { inputShape }, windows), "0");
  const more = argumentsCode([
    ["stride", pairCode(windows.stride), "1"],
    ["padding", padding, "0"],
    ["dilation", pairCode(windows.dilation!), "1"],
    ["groups", String(groups), "1"],
    ["bias", config["bias"] ? "True" : "False", "True"],
  ]);
  const code = `nn.Conv2d(${inputShape[2] ?? 1}, ${outputs}, ${pairCode(windows.window)}${more})`;
  const convolution = { code, parameters: weightAndBias([3, 2, 0, 1], config["bias"]) };
  return channelsFirst(inputShape, 3, [...before, convolution, ...activationModules(config["activation"])]);
}

/** The weight of PyTorch's Conv2d is [outputs, channels / groups, height, width]. */
export const pytorch: PytorchForm = (config, place) =>
  convolutionModules(config, place, config as unknown as { outputs: number; groups: number });
