import library from "../../../shaders/random.wgsl?raw";
import type { PointwiseKernel } from "../kernel.ts";

const randomUniform: PointwiseKernel = {
  kind: "pointwise",
  library,
  flops: () => 0,
  expression: (_, [key], { index }) => `random_uniform(${index}, ${key!.at("0u")})`,
};

export const kernels = { randomUniform };
