import type { Pair } from "../../../ops/convolution/index.ts";
import { activationModules } from "../activation/pytorch.ts";
import type { PytorchForm } from "../forms.ts";
import { argumentsCode, channelsFirst, pairCode } from "../images-pytorch.ts";
import { weightAndBias } from "../permute.ts";
import { transposedSides, type TransposedWindows } from "./index.ts";

/** The weight of PyTorch's ConvTranspose2d is [channels, outputs / groups, height, width]. */
export const pytorch: PytorchForm = (config, { inputShape }) => {
  const windows = config as unknown as TransposedWindows;
  const { sides, extra } = transposedSides(windows, inputShape as unknown as Pair);
  const [[top, bottom], [left, right]] = sides;
  const isEven = top === bottom && left === right;
  const more = argumentsCode([
    ["stride", pairCode(windows.stride), "1"],
    ["padding", isEven ? pairCode([top, left]) : "0", "0"],
    ["output_padding", pairCode(extra), "0"],
    ["groups", String(config["groups"]), "1"],
    ["bias", config["bias"] ? "True" : "False", "True"],
    ["dilation", pairCode(windows.dilation), "1"],
  ]);
  const code = `nn.ConvTranspose2d(${inputShape[2] ?? 1}, ${config["outputs"] as number}, ${pairCode(windows.window)}${more})`;
  const crop = isEven ? [] : [{ code: `nn.ConstantPad2d((${-left}, ${-right}, ${-top}, ${-bottom}), 0)` }];
  const convolution = { code, parameters: weightAndBias([3, 2, 0, 1], config["bias"]) };
  return channelsFirst(inputShape, 3, [convolution, ...crop, ...activationModules(config["activation"])]);
};
