import { describe, expect, test } from "vitest";
import type { Backend } from "../../src/backends/backend.ts";
import { makeRegressionDataset } from "../../src/data/dataset.ts";
import { defineGraph } from "../../src/graph/graph.ts";
import { input, parameter } from "../../src/graph/leaves.ts";
import { dense, dropout } from "../../src/nn/layers/index.ts";
import { sequential } from "../../src/nn/sequential.ts";
import { add, tanh } from "../../src/ops/elementwise/index.ts";
import { gradients } from "../../src/ops/gradients.ts";
import { slice } from "../../src/ops/indexing/index.ts";
import { reshape } from "../../src/ops/layout/index.ts";
import { matmul } from "../../src/ops/matmul/index.ts";
import { mean } from "../../src/ops/reduce/index.ts";
import { createTrainer } from "../../src/train/trainer.ts";
import { acquireBackend } from "../gpu.ts";

/** The kernels that a new device compiles, in order. */
async function kernelsOf(compile: (backend: Backend) => Promise<unknown>): Promise<string[]> {
  const kernels: string[] = [];
  const backend = await acquireBackend({ onKernel: (name) => kernels.push(name) });
  await compile(backend);
  backend.dispose();
  return kernels;
}

const dataset = makeRegressionDataset({
  name: "numbers",
  features: Float32Array.from({ length: 16 * 8 }, (_, index) => (index % 7) - 3),
  shape: [8],
  targets: Float32Array.from({ length: 16 }, (_, index) => index % 3),
  outputs: ["y"],
});

const train = (hidden: number, rate?: number) => async (backend: Backend) => {
  const layers = Array.from({ length: hidden }, () => [
    dense(24, { activation: "relu" }),
    ...(rate === undefined ? [] : [dropout(rate)]),
  ]).flat();
  const model = sequential([...layers, dense(1)], { inputShape: [8] });
  await createTrainer({ model, backend, dataset, batchSize: 8, epochs: 1, learningRate: 0.01, onNonFinite: "stop" });
};

/** A recurrent network of some time steps, and its gradients. */
const unroll = (steps: number) => async (backend: Backend) => {
  const x = input("x", [8, 32, 4], "float32");
  const [w, u] = [parameter("w", [4, 24], new Float32Array(96)), parameter("u", [24, 24], new Float32Array(576))];
  let state = tanh(matmul(reshape(slice(x, [undefined, { start: 0, end: 1 }]), [8, 4]), w));
  for (let step = 1; step < steps; step++) {
    const own = matmul(reshape(slice(x, [undefined, { start: step, end: step + 1 }]), [8, 4]), w);
    state = tanh(add(own, matmul(state, u)));
  }
  const loss = mean(state);
  const [byW, byU] = gradients(loss, [w, u]);
  await backend.createSession().compile(defineGraph({ loss, byW: byW!, byU: byU! }));
};

describe("equal kernels are compiled once", () => {
  test("of layers of one size, whose gradients are checked for values that are not finite", async () => {
    const shallow = await kernelsOf(train(4));
    expect(new Set(shallow).size).toBeGreaterThan(5);
    expect(await kernelsOf(train(12))).toEqual(shallow);
  });

  test("of layers of dropout, each with its own random numbers", async () => {
    expect(await kernelsOf(train(9, 0.5))).toEqual(await kernelsOf(train(4, 0.5)));
  });

  test("of the time steps of a recurrent network", async () => {
    const short = await kernelsOf(unroll(4));
    expect(await kernelsOf(unroll(14))).toEqual(short);
  });
});
