import library from "../../../shaders/convert.wgsl?raw";
import type { PointwiseKernel } from "../kernel.ts";

const toIndex: PointwiseKernel = {
  kind: "pointwise",
  library,
  flops: () => 1,
  expression: (_, [x]) => `index_of(${x!.here()})`,
};

export const kernels = { toIndex };
