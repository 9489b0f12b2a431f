/* The number of kernels of a GPT's training step: a device needs several microseconds for each, however small it is. */
import { expect, test } from "vitest";
import { webgpuRules } from "../../src/backends/webgpu/rules.ts";
import { fuse } from "../../src/compiler/fuse.ts";
import { defineGraph } from "../../src/graph/graph.ts";
import { input, stepScalar } from "../../src/graph/leaves.ts";
import { models, optimizers } from "../../src/nn/index.ts";
import { gradients } from "../../src/ops/gradients.ts";
import { softmaxCrossEntropy } from "../../src/ops/losses/index.ts";
import { softwareLimits } from "../launch-limits.ts";

function kernelsOf(layers: number, context: number): number {
  const model = models.gpt({ vocabulary: 65, context, layers, heads: 4, width: 128 });
  const [tokens, next] = ["tokens", "next"].map((name) => input(name, [12, context], "uint32"));
  const loss = softmaxCrossEntropy(model.apply({ tokens: tokens! }, { training: true }).logits, next!);
  const learningRate = stepScalar("learningRate", () => 0.01);
  const updates = optimizers.adamW().update(model.parameters, gradients(loss, model.parameters), { learningRate });
  return fuse(defineGraph({ loss }, updates), webgpuRules(softwareLimits)).groups.length;
}

test("a step of a GPT of four blocks has few kernels, and fewer with fused attention", () => {
  expect(kernelsOf(2, 64) - kernelsOf(1, 64)).toBeLessThanOrEqual(32);
  expect(kernelsOf(4, 64)).toBeLessThanOrEqual(144);
  expect(kernelsOf(4, 256)).toBeLessThanOrEqual(125);
});
