import argmaxSource from "../../../shaders/argmax.wgsl?raw";
import candidatesSource from "../../../shaders/candidates.wgsl?raw";
import candidatesOfPartsSource from "../../../shaders/candidates_of_parts.wgsl?raw";
import combinePartsSource from "../../../shaders/combine_parts.wgsl?raw";
import productSource from "../../../shaders/product.wgsl?raw";
import reduceSource from "../../../shaders/reduce.wgsl?raw";
import type { Tensor } from "../../graph/tensor.ts";
import type { AnchorKernel } from "../kernel.ts";
import type { LaneSizes } from "../webgpu/lanes.ts";
import { reductionInOneGroup, reductionLaunches, type ReductionForms } from "../webgpu/reductions.ts";
import type { ReduceAttributes } from "./index.ts";

function sizesOf({ attributes }: Tensor): LaneSizes {
  const { outer, count, inner } = attributes as ReduceAttributes;
  return { outputs: outer * inner, count, stride: inner };
}

const readsOf = ({ inputs }: Tensor) => ({ x: inputs[0]! });

function reduceKernel(forms: Omit<ReductionForms, "reads">): AnchorKernel {
  return {
    kind: "anchor",
    inOneGroup: ([node], limits) => reductionInOneGroup(sizesOf(node!), { ...forms, reads: readsOf(node!) }, limits),
    launches: ([node], limits) => reductionLaunches(sizesOf(node!), { ...forms, reads: readsOf(node!) }, limits),
  };
}

/** A reduction whose results are combined as its members are. */
const ofValues = (source: string) => ({ source, ofParts: combinePartsSource + source });

const [SUM, MEAN, MAX] = [0, 1, 2];

export const kernels = {
  sum: reduceKernel({ ...ofValues(reduceSource), constants: { OPERATION: SUM } }),
  mean: reduceKernel({
    ...ofValues(reduceSource),
    constants: { OPERATION: MEAN },
    partialConstants: { OPERATION: SUM },
  }),
  max: reduceKernel({ ...ofValues(reduceSource), constants: { OPERATION: MAX } }),
  product: reduceKernel(ofValues(productSource)),
  argmax: reduceKernel({
    source: candidatesSource + argmaxSource,
    ofParts: candidatesOfPartsSource + argmaxSource,
    finishes: ["finish", "finish_largest"],
  }),
};
