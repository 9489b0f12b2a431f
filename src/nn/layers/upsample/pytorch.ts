import type { Pair } from "../../../ops/convolution/index.ts";
import type { PytorchForm } from "../forms.ts";
import { channelsFirst, pairCode } from "../images-pytorch.ts";

export const pytorch: PytorchForm = ({ factor, mode }, { inputShape }) =>
  channelsFirst(inputShape, 3, [
    { code: `nn.Upsample(scale_factor=${pairCode(factor as unknown as Pair)}, mode=${JSON.stringify(mode)})` },
  ]);
