import argmaxSource from "../../../shaders/argmax.wgsl?raw";
import candidatesSource from "../../../shaders/candidates.wgsl?raw";
import candidatesOfPartsSource from "../../../shaders/candidates_of_parts.wgsl?raw";
import combinePartsSource from "../../../shaders/combine_parts.wgsl?raw";
import productSource from "../../../shaders/product.wgsl?raw";
import reduceSource from "../../../shaders/reduce.wgsl?raw";
import type { AnchorKernel } from "../kernel.ts";
import { reductionLaunches, type ReductionForms } from "../webgpu/reductions.ts";
import type { ReduceAttributes } from "./index.ts";

function reduceKernel(forms: Omit<ReductionForms, "reads">): AnchorKernel {
  return {
    kind: "anchor",
    launches([node], limits) {
      const { outer, count, inner } = node!.attributes as ReduceAttributes;
      const sizes = { outputs: outer * inner, count, stride: inner };
      return reductionLaunches(sizes, { ...forms, reads: { x: node!.inputs[0]! } }, limits);
    },
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
