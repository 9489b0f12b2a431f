import argmaxRow from "../../../shaders/argmax_row.wgsl?raw";
import crossEntropyGradientRow from "../../../shaders/cross_entropy_gradient_row.wgsl?raw";
import crossEntropyRow from "../../../shaders/cross_entropy_row.wgsl?raw";
import lanes from "../../../shaders/lanes.wgsl?raw";
import logSoftmaxRow from "../../../shaders/log_softmax_row.wgsl?raw";
import softmaxRows from "../../../shaders/softmax.wgsl?raw";
import softmaxRow from "../../../shaders/softmax_row.wgsl?raw";
import type { Tensor } from "../../graph/tensor.ts";
import { reductionOf } from "../../graph/traits.ts";
import type { AnchorKernel, AnchorLaunch, LaunchLimits } from "../kernel.ts";
import { laneLaunch } from "../webgpu/lanes.ts";

/** Two passes over a row, each with an exponential and a comparison or addition, and one pass to write. */
const FLOPS_PER_LOGIT = 20;

/**
 * The maximum numbers of rows and of logits that one workgroup computes alone to save the dispatches of fused sums. On a GPU
 * it takes as long as the whole rest of a step if there are many.
 */
const MOST_ROWS_OF_ONE_GROUP = 1024;
const MOST_LOGITS_OF_ONE_GROUP = 2 ** 14;

/** A result computed from a row of logits, its largest logit and the sum of its exponentials. */
interface RowResult {
  readonly source: string;
  readonly call: string;
  readonly finish: string;
  readonly reads: readonly string[];
}

const results: Readonly<Record<string, RowResult>> = {
  softmax: { source: softmaxRow, call: "softmax_row", finish: "finish_softmax", reads: ["logits"] },
  logSoftmax: { source: logSoftmaxRow, call: "log_softmax_row", finish: "finish_log_softmax", reads: ["logits"] },
  softmaxCrossEntropy: {
    source: crossEntropyRow,
    call: "cross_entropy_row",
    finish: "finish_loss",
    reads: ["logits", "labels"],
  },
  softmaxCrossEntropyGradient: {
    source: crossEntropyGradientRow,
    call: "cross_entropy_gradient_row",
    finish: "finish_gradient",
    reads: ["logits", "labels", "upstream"],
  },
};

const argmaxResult: RowResult = { source: argmaxRow, call: "argmax_row", finish: "finish_argmax", reads: ["logits"] };

/** An argmax is the only op of another folder that can be fused. */
const resultOf = (node: Tensor): RowResult => (reductionOf(node) ? argmaxResult : results[node.op.name]!);

const readsOf = (node: Tensor): [string, Tensor][] =>
  resultOf(node).reads.map((name, position) => [name, node.inputs[position]!]);

function rowsOf(logits: Tensor): { rows: number; classes: number } {
  const classes = logits.shape.at(-1)!;
  return { rows: logits.size / classes, classes };
}

function launches(members: readonly Tensor[], limits: LaunchLimits, oneGroup: boolean): AnchorLaunch[] {
  const logits = members[0]!.inputs[0]!;
  const { rows, classes } = rowsOf(logits);
  const parts = members.map(resultOf);
  const calls = parts.map(({ call }) => `    ${call}(row, lane, largest, total);\n`).join("");
  const writeRow = `fn write_row(row: u32, lane: u32, largest: f32, total: f32) {\n${calls}}\n`;
  return [
    {
      ...laneLaunch({ outputs: rows, count: classes, stride: 1 }, limits, oneGroup ? 1 : undefined),
      source: [lanes, ...new Set(parts.map(({ source }) => source)), writeRow, softmaxRows].join("\n"),
      reads: Object.fromEntries(members.flatMap(readsOf)),
      finishes: parts.map(({ finish }) => finish),
      flops: FLOPS_PER_LOGIT * logits.size,
    },
  ];
}

const rowKernel: AnchorKernel = {
  kind: "anchor",
  fusesReductions([member]) {
    const { rows, classes } = rowsOf(member!.inputs[0]!);
    return rows <= MOST_ROWS_OF_ONE_GROUP && rows * classes <= MOST_LOGITS_OF_ONE_GROUP;
  },
  inOneGroup: (members, limits) => launches(members, limits, true)[0],
  launches,
};

export const kernels = {
  softmax: rowKernel,
  logSoftmax: rowKernel,
  softmaxCrossEntropy: rowKernel,
  softmaxCrossEntropyGradient: rowKernel,
};
