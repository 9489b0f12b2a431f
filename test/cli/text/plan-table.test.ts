import { expect, test } from "vitest";
import { planTable } from "../../../src/cli/text/plan-table.ts";

test("each kernel of a merged dispatch starts a line, with its shapes, within 80 columns", () => {
  const merged = {
    kernel: "matmul + add + softmaxCrossEntropy; softmaxCrossEntropyGradient; matmul + sum",
    shapes:
      "[64, 784] [784, 128] [128] → [64, 128] [64]; [64, 10] [64] → [64, 10]; [64, 128] [64, 10] → [128, 10] [10]",
    grid: [1, 1, 1] as const,
    flops: 64_000,
    bytes: 9000,
  };
  const own = { kernel: "adam", shapes: "[10] → [10]", grid: [2, 1, 1] as const, flops: 100, bytes: 80 };
  expect(planTable([merged, own])).toEqual([
    "kernel                       shapes                    grid        FLOPs   bytes",
    "matmul + add                 [64, 784] [784, 128]      1×1×1      64.0 k  9.00 k",
    "+ softmaxCrossEntropy        [128] → [64, 128] [64]",
    "softmaxCrossEntropyGradient  [64, 10] [64] → [64, 10]",
    "matmul + sum                 [64, 128] [64, 10] →",
    "                             [128, 10] [10]",
    "adam                         [10] → [10]               2×1×1         100      80",
    "2 dispatches                                                      64.1 k  9.08 k",
  ]);
});
