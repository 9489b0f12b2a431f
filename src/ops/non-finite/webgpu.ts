import library from "../../../shaders/non_finite.wgsl?raw";
import type { AtomicKernel, PointwiseKernel } from "../kernel.ts";
import { integerLiteral } from "../webgpu/wgsl.ts";
import type { FirstNonFiniteAttributes } from "./index.ts";

const firstNonFinite: AtomicKernel = {
  kind: "atomic",
  library,
  expression(node, value, index) {
    const { elements } = node.attributes as FirstNonFiniteAttributes;
    return `distance_of_non_finite(${value}, ${integerLiteral(elements)} - ${index})`;
  },
};

const replaceIf: PointwiseKernel = {
  kind: "pointwise",
  library,
  flops: () => 1,
  expression: (_, [condition, kept, replacement]) =>
    `replace_if(${condition!.here()}, ${kept!.here()}, ${replacement!.here()})`,
};

export const kernels = { firstNonFinite, replaceIf };
