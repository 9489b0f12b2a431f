import library from "../../../shaders/gather.wgsl?raw";
import type { Tensor } from "../../graph/tensor.ts";
import type { InputValue, PointwiseKernel } from "../kernel.ts";
import { floatLiteral, integerLiteral } from "../webgpu/wgsl.ts";
import type { TakeBatchAttributes } from "./index.ts";

const takeBatch: PointwiseKernel = {
  kind: "pointwise",
  library,
  flops: (node) => (node.dtype === "float32" ? 2 : 0),
  expression(node, [data, start, order], { index }, { float }) {
    const { scale, offset } = node.attributes as TakeBatchAttributes;
    const value = data!.at(elementOf(node, start!, order, index));
    if (node.dtype === "uint32") return value;
    return `scale_value(f32(${value}), ${float(scale)}, ${floatLiteral(offset)})`;
  },
  vec4(node, [data, start, order], { index }, { float }) {
    const { scale, offset, width } = node.attributes as TakeBatchAttributes;
    if (node.dtype === "uint32" || width % 4 !== 0) return undefined;
    const values = data!.vec4At(elementOf(node, start!, order, index));
    return values && `scale_values(vec4<f32>(${values}), ${float(scale)}, ${floatLiteral(offset)})`;
  },
};

/** The WGSL of the element of the data that an element of the batch is taken from. */
function elementOf(node: Tensor, start: InputValue, order: InputValue | undefined, index: string): string {
  const width = integerLiteral((node.attributes as TakeBatchAttributes).width);
  const position = `${start.at("0u")} + ${index} / ${width}`;
  return `${order ? order.at(position) : `(${position})`} * ${width} + ${index} % ${width}`;
}

export const kernels = { takeBatch };
