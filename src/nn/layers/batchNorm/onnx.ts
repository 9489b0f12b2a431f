import type { OnnxForm } from "../forms.ts";
import { toChannelsFirst, toChannelsLast } from "../images-onnx.ts";

export const onnx: OnnxForm = (writer, { epsilon, affine }, name, { inputShape }) => {
  const [axes, channels] = [inputShape.length, inputShape.at(-1)!];
  const fixed = (what: string, value: number) =>
    writer.numbers(`${name}.${what}`, new Array<number>(channels).fill(value));
  const factors = affine
    ? [writer.parameter(`${name}.weight`), writer.parameter(`${name}.bias`)]
    : [fixed("weight", 1), fixed("bias", 0)];
  const statistics = ["runningMean", "runningVariance"].map((own) => writer.parameter(`${name}.${own}`));
  toChannelsFirst(writer, name, inputShape, axes);
  const attributes = { epsilon: { float: epsilon as number } };
  writer.apply("BatchNormalization", `${name}.normalized`, [...factors, ...statistics], attributes);
  toChannelsLast(writer, name, axes);
};
