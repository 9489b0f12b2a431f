import argmaxSource from "../../../shaders/argmax.wgsl?raw";
import lanesSource from "../../../shaders/lanes.wgsl?raw";
import productSource from "../../../shaders/product.wgsl?raw";
import reduceSource from "../../../shaders/reduce.wgsl?raw";
import type { AnchorKernel } from "../kernel.ts";
import { laneLaunch } from "../webgpu/lanes.ts";
import type { ReduceAttributes } from "./index.ts";

function reduceKernel(source: string, constants: Record<string, number> = {}): AnchorKernel {
  return {
    kind: "anchor",
    launches([node], limits) {
      const { outer, count, inner } = node!.attributes as ReduceAttributes;
      const launch = laneLaunch(outer * inner, count, inner, limits.gridSize);
      return [
        {
          ...launch,
          source: lanesSource + source,
          reads: { x: node!.inputs[0]! },
          finishes: ["finish", "finish_largest"],
          constants: { ...launch.constants, ...constants },
          flops: outer * count * inner,
        },
      ];
    },
  };
}

export const kernels = {
  sum: reduceKernel(reduceSource, { OPERATION: 0 }),
  mean: reduceKernel(reduceSource, { OPERATION: 1 }),
  max: reduceKernel(reduceSource, { OPERATION: 2 }),
  product: reduceKernel(productSource),
  argmax: reduceKernel(argmaxSource),
};
