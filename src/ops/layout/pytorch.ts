import { sizeOf, type Shape } from "../../graph/tensor.ts";
import { requireFixed, reshapedSizes, tensorCode, type PytorchOpForm } from "../forms.ts";
import { expandedSizes } from "./exported-sizes.ts";
import type { AxisIndexAttributes, TransposeAttributes } from "./index.ts";

export const pytorch: Readonly<Record<string, PytorchOpForm>> = {
  reshape: ([x], { shape }) => `${tensorCode(x!)}.reshape([${reshapedSizes(shape).join(", ")}])`,
  transpose: ([x], { attributes }) => `${x}.permute(${(attributes as TransposeAttributes).order.join(", ")})`,
  broadcastTo: ([x], place) => `${tensorCode(x!)}.expand(${expandedSizes(place, -1).join(", ")})`,
  stopGradient: ([x]) => `${tensorCode(x!)}.detach()`,
  copy: ([x]) => x!,
  axisIndex(_, { attributes, shape }) {
    const { inner, count } = attributes as AxisIndexAttributes;
    for (const size of shape) requireFixed("axisIndex", size);
    const outer = sizeOf(shape as Shape) / (inner * count);
    return `torch.arange(${count}).repeat_interleave(${inner}).repeat(${outer}).reshape([${shape.join(", ")}])`;
  },
};
