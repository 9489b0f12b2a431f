import { expect, test } from "vitest";
import { defineGraph } from "../../src/graph/graph.ts";
import { input } from "../../src/graph/leaves.ts";
import type { Tensor } from "../../src/graph/tensor.ts";
import { layers, sequential, type RecurrentLayerOptions } from "../../src/nn/index.ts";
import { square } from "../../src/ops/elementwise/index.ts";
import { gradients } from "../../src/ops/gradients.ts";
import { mean } from "../../src/ops/reduce/index.ts";
import { acquireBackend } from "../gpu.ts";

/** The numbers of kernels that a GRU and its gradients compile, and of their dispatches. */
async function compiledFor(length: number, options: RecurrentLayerOptions = {}) {
  const kernels: string[] = [];
  const backend = await acquireBackend({ onKernel: (name) => void kernels.push(name) });
  const model = sequential([layers.gru(4, options)], { inputShape: [length, 3] });
  const loss = mean(square(model.apply(input("x", [2, length, 3]))));
  const [weight, recurrentWeight] = gradients(loss, model.parameters.slice(0, 2)) as [Tensor, Tensor];
  const { dispatches } = await backend.createSession().compile(defineGraph({ loss, weight, recurrentWeight }));
  backend.dispose();
  return { kernels: kernels.length, dispatches: dispatches.length };
}

test("the kernels of a step are compiled once for a sequence of any length", async () => {
  const [short, long] = [await compiledFor(8), await compiledFor(24)];
  expect(long.kernels).toBe(short.kernels);
  // Forward a product and the gates; backward a product and the parts of both gradients. None is copied.
  expect((long.dispatches - short.dispatches) / 16).toBe(5);
  const both = [await compiledFor(8, { bidirectional: true }), await compiledFor(24, { bidirectional: true })] as const;
  expect(both[1].kernels).toBe(both[0].kernels);
  expect((both[1].dispatches - both[0].dispatches) / 16).toBeLessThan(2 * 5);
});
