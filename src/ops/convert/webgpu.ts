import library from "../../../shaders/convert.wgsl?raw";
import type { PointwiseKernel } from "../kernel.ts";
import type { ToIndexOptions } from "./index.ts";

const toIndex: PointwiseKernel = {
  kind: "pointwise",
  library,
  flops: () => 1,
  expression({ attributes }, [x]) {
    const { below } = attributes as ToIndexOptions;
    return below === undefined ? `index_of(${x!.here()})` : `min(index_of(${x!.here()}), ${below - 1}u)`;
  },
};

export const kernels = { toIndex };
