import lanes from "../../../shaders/lanes.wgsl?raw";
import gradient from "../../../shaders/layer_norm_gradient.wgsl?raw";
import moments from "../../../shaders/row_moments.wgsl?raw";
import type { AnchorKernel } from "../kernel.ts";
import { laneLaunch } from "../webgpu/lanes.ts";
import { floatLiteral } from "../webgpu/wgsl.ts";
import type { RowMomentsAttributes } from "./index.ts";

/** A sum, then a difference, a square and a sum. */
const FLOPS_OF_MOMENTS = 4;

/** Two products and two sums in one pass, and the formula in another. */
const FLOPS_OF_GRADIENT = 12;

const rowMoments: AnchorKernel = {
  kind: "anchor",
  launches([node], limits) {
    const x = node!.inputs[0]!;
    const width = x.shape.at(-1)!;
    const { epsilon } = node!.attributes as RowMomentsAttributes;
    const launch = laneLaunch({ outputs: x.size / width, count: width, stride: 1 }, limits);
    return [
      {
        ...launch,
        source: lanes + moments,
        reads: { x },
        finishes: ["finish"],
        constants: { ...launch.constants, EPSILON: floatLiteral(epsilon) },
        flops: FLOPS_OF_MOMENTS * x.size,
      },
    ];
  },
};

const layerNormGradient: AnchorKernel = {
  kind: "anchor",
  launches([node], limits) {
    const [x, ofX, upstream, weight] = node!.inputs;
    const width = node!.shape.at(-1)!;
    const launch = laneLaunch({ outputs: node!.size / width, count: width, stride: 1 }, limits);
    const factor = `fn weight_of(column: u32) -> f32 { return ${weight ? "read_weight(column)" : "1.0"}; }\n`;
    return [
      {
        ...launch,
        source: lanes + factor + gradient,
        reads: { x: x!, moments: ofX!, upstream: upstream!, ...(weight && { weight }) },
        finishes: ["finish"],
        flops: FLOPS_OF_GRADIENT * node!.size,
      },
    ];
  },
};

export const kernels = { rowMoments, layerNormGradient };
