import type { PytorchForm } from "../forms.ts";
import { channelsFirst } from "../images-pytorch.ts";

export const pytorch: PytorchForm = ({ rate }, { inputShape }) =>
  channelsFirst(inputShape, inputShape.length, [{ code: `nn.Dropout${inputShape.length - 1}d(${rate as number})` }]);
