import argmaxSource from "../../../shaders/argmax.wgsl?raw";
import lanesSource from "../../../shaders/lanes.wgsl?raw";
import reduceSource from "../../../shaders/reduce.wgsl?raw";
import type { AnchorKernel } from "../kernel.ts";
import { laneLaunch } from "../lanes.ts";
import type { ReduceAttributes } from "./index.ts";

const reduceKernel = (source: string, constants: Record<string, number> = {}): AnchorKernel => ({
  kind: "anchor",
  source: lanesSource + source,
  inputs: ["x"],
  prologues: [0],
  launches(node, limits) {
    const { outer, count, inner } = node.attributes as ReduceAttributes;
    const launch = laneLaunch(outer * inner, count, inner, limits);
    return [{ ...launch, constants: { ...launch.constants, ...constants }, flops: outer * count * inner }];
  },
});

export const kernels = {
  sum: reduceKernel(reduceSource, { OPERATION: 0 }),
  mean: reduceKernel(reduceSource, { OPERATION: 1 }),
  max: reduceKernel(reduceSource, { OPERATION: 2 }),
  argmax: reduceKernel(argmaxSource),
};
