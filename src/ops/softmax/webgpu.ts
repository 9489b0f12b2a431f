import crossEntropyGradientRow from "../../../shaders/cross_entropy_gradient_row.wgsl?raw";
import crossEntropyRow from "../../../shaders/cross_entropy_row.wgsl?raw";
import lanes from "../../../shaders/lanes.wgsl?raw";
import softmaxRows from "../../../shaders/softmax.wgsl?raw";
import softmaxRow from "../../../shaders/softmax_row.wgsl?raw";
import type { AnchorKernel } from "../kernel.ts";
import { laneLaunch } from "../lanes.ts";

/** Two passes over a row, each an exponential and a comparison or addition, and one to write. */
const FLOPS_PER_LOGIT = 20;

function rowKernel(row: string, inputs: readonly string[], constants: Record<string, string> = {}): AnchorKernel {
  return {
    kind: "anchor",
    source: lanes + row + softmaxRows,
    inputs,
    launches(node, limits) {
      const { shape, size } = node.inputs[0]!;
      const classes = shape[shape.length - 1]!;
      const launch = laneLaunch(size / classes, classes, 1, limits);
      return [{ ...launch, constants: { ...launch.constants, ...constants }, flops: FLOPS_PER_LOGIT * size }];
    },
  };
}

export const kernels = {
  softmax: rowKernel(softmaxRow, ["logits"], { LOGARITHM: "false" }),
  logSoftmax: rowKernel(softmaxRow, ["logits"], { LOGARITHM: "true" }),
  softmaxCrossEntropy: rowKernel(crossEntropyRow, ["logits", "labels"]),
  softmaxCrossEntropyGradient: rowKernel(crossEntropyGradientRow, ["logits", "labels", "upstream"]),
};
