import { expect, test } from "vitest";
import { defineGraph } from "../../src/graph/graph.ts";
import { input } from "../../src/graph/leaves.ts";
import type { Tensor } from "../../src/graph/tensor.ts";
import { layers, sequential } from "../../src/nn/index.ts";
import { square } from "../../src/ops/elementwise/index.ts";
import { gradients } from "../../src/ops/gradients.ts";
import { mean } from "../../src/ops/reduce/index.ts";
import { acquireBackend } from "../gpu.ts";

/** The number of kernels that a GRU and its gradients compile, and of those that compute more than copies. */
async function compiledFor(length: number) {
  const kernels: string[] = [];
  const backend = await acquireBackend({ onKernel: (name) => void kernels.push(name) });
  const model = sequential([layers.gru(4)], { inputShape: [length, 3] });
  const loss = mean(square(model.apply(input("x", [2, length, 3]))));
  const [weight, recurrentWeight] = gradients(loss, model.parameters.slice(0, 2)) as [Tensor, Tensor];
  const { dispatches } = await backend.createSession().compile(defineGraph({ loss, weight, recurrentWeight }));
  backend.dispose();
  return {
    computing: kernels.filter((name) => name.includes("matmul") || name.includes("sigmoid")).length,
    dispatches,
  };
}

test("the kernels of a step are compiled once for a sequence of any length", async () => {
  const [short, long] = [await compiledFor(8), await compiledFor(24)];
  expect(short.computing).toBeGreaterThan(4);
  expect(long.computing).toBe(short.computing);
  // Forward a product and the gates; backward one kernel more, and the parts of both gradients.
  const perStep = (long.dispatches.length - short.dispatches.length) / 16;
  expect(perStep).toBeLessThan(7);
});
