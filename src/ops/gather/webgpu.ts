import library from "../../../shaders/gather.wgsl?raw";
import type { PointwiseKernel } from "../kernel.ts";
import { floatLiteral, integerLiteral } from "../webgpu/wgsl.ts";
import type { TakeBatchAttributes } from "./index.ts";

const takeBatch: PointwiseKernel = {
  kind: "pointwise",
  library,
  flops: (node) => (node.dtype === "float32" ? 2 : 0),
  expression(node, [data, start, order], { index }, { float }) {
    const { scale, offset, width } = node.attributes as TakeBatchAttributes;
    const position = `${start!.at("0u")} + ${index} / ${integerLiteral(width)}`;
    const example = order ? order.at(position) : `(${position})`;
    const value = data!.at(`${example} * ${integerLiteral(width)} + ${index} % ${integerLiteral(width)}`);
    if (node.dtype === "uint32") return value;
    return `scale_value(f32(${value}), ${float(scale)}, ${floatLiteral(offset)})`;
  },
};

export const kernels = { takeBatch };
