import activations from "../../../shaders/activations.wgsl?raw";
import arithmetic from "../../../shaders/elementwise.wgsl?raw";
import type { PointwiseKernel } from "../kernel.ts";
import { floatLiteral } from "../wgsl.ts";
import type { ElementwiseAttributes, ElementwiseOp } from "./function.ts";

const elementwise: PointwiseKernel = {
  kind: "pointwise",
  library: arithmetic + activations,
  flops: (node) => (node.op as ElementwiseOp).row.flops ?? 1,
  expression(node, inputs) {
    const { wgsl } = (node.op as ElementwiseOp).row;
    const { parameters } = node.attributes as ElementwiseAttributes;
    return `${wgsl}(${[...inputs.map((value) => value.here()), ...parameters.map(floatLiteral)].join(", ")})`;
  },
};

export const kernels = { elementwise };
