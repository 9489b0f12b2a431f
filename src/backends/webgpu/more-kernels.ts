/*
 * The kernels that a network of dense layers does not need. `loadKernels` loads this file for a graph that needs one.
 */
import type { WebGPUKernel } from "../../ops/kernel.ts";
import { collectKernels } from "../registry.ts";

export const moreKernels = collectKernels<WebGPUKernel>(
  import.meta.glob("../../ops/{attention,convolution,float16,indexing,layer-norm,parts,scan,windows}/webgpu.ts", {
    eager: true,
  }),
);
