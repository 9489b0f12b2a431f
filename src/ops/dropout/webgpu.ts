import library from "../../../shaders/random.wgsl?raw";
import type { PointwiseKernel } from "../kernel.ts";
import { floatLiteral, integerLiteral } from "../webgpu/wgsl.ts";
import { dropoutThreshold, type DropoutMaskAttributes } from "./index.ts";

const dropoutMask: PointwiseKernel = {
  kind: "pointwise",
  library,
  flops: () => 0,
  expression(node, [key], { index }) {
    const { rate } = node.attributes as DropoutMaskAttributes;
    return `dropout_mask(${index}, ${key!.at("0u")}, ${integerLiteral(dropoutThreshold(rate))}, ${floatLiteral(1 / (1 - rate))})`;
  },
};

export const kernels = { dropoutMask };
