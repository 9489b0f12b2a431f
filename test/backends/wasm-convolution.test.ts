/*
 * A convolutional network on the WebAssembly backend: which phases its step has, and the same bits by any number of threads.
 */
import { beforeAll, expect, test } from "vitest";
import type { Backend } from "../../src/backends/backend.ts";
import { createCpuBackend } from "../../src/backends/cpu/index.ts";
import { defineGraph } from "../../src/graph/graph.ts";
import { input, parameter, stepScalar } from "../../src/graph/leaves.ts";
import { sizeOf, type Shape, type Tensor } from "../../src/graph/tensor.ts";
import { adam } from "../../src/nn/optimizers.ts";
import { packGradients } from "../../src/nn/packed.ts";
import { conv2d, maxPool2d } from "../../src/ops/convolution/index.ts";
import { add, relu } from "../../src/ops/elementwise/index.ts";
import { takeBatch } from "../../src/ops/gather/index.ts";
import { gradients } from "../../src/ops/gradients.ts";
import { reshape } from "../../src/ops/layout/index.ts";
import { softmaxCrossEntropy } from "../../src/ops/losses/index.ts";
import { matmul } from "../../src/ops/matmul/index.ts";
import { Random } from "../../src/random.ts";
import { acquireWasm } from "../wasm.ts";

const BATCH = 16;
const IMAGES = 48;

/** Two convolutions, of which the second has a stride and is pooled, and a dense layer, on images of a data set. */
function network() {
  const random = new Random(5);
  const parameters: Tensor[] = [];
  const own = (shape: Shape) => {
    const values = Float32Array.from({ length: sizeOf(shape) }, () => random.uniform(-0.2, 0.2));
    parameters.push(parameter(`p${parameters.length}`, shape, values));
    return parameters.at(-1)!;
  };
  const pixels = input("pixels", [IMAGES, 20, 22], "uint8");
  const labels = input("labels", [BATCH], "uint32");
  const start = stepScalar("start", (step) => (step % 3) * BATCH, "uint32");
  const x = reshape(takeBatch(pixels, { start, count: BATCH, scale: 1 / 255 }), [BATCH, 20, 22, 1]);
  const first = relu(conv2d(x, own([3, 3, 1, 12]), { padding: "same", bias: own([12]) }));
  const second = relu(conv2d(first, own([3, 3, 12, 20]), { padding: "same", stride: 2, bias: own([20]) }));
  const flat = reshape(maxPool2d(second, [2, 1]), [BATCH, -1]);
  const loss = softmaxCrossEntropy(add(matmul(flat, own([flat.shape[1]!, 10])), own([10])), labels);
  const packed = packGradients(gradients(loss, parameters));
  const updates = adam().update(parameters, packed, { learningRate: stepScalar("rate", () => 3e-3) });
  return { graph: defineGraph({ loss }, updates), pixels, labels, parameters };
}

/** The losses of five steps, and the parameters then. */
async function train(backend: Backend) {
  const { graph, pixels, labels, parameters } = network();
  const random = new Random(6);
  const session = backend.createSession();
  const executable = await session.compile(graph);
  session.write(
    pixels,
    Uint8Array.from({ length: pixels.size }, () => random.below(256)),
  );
  session.write(
    labels,
    Uint32Array.from({ length: BATCH }, () => random.below(10)),
  );
  const { loss } = await executable.run(0, 5);
  const values = await Promise.all(parameters.map((tensor) => session.read(tensor)));
  return { loss: loss!, values, dispatches: executable.dispatches };
}

let one: Awaited<ReturnType<typeof train>>;

beforeAll(async () => {
  const { backend } = await acquireWasm(1);
  one = await train(backend);
  backend.dispose();
});

test("the losses are those of the reference", async () => {
  const backend = createCpuBackend({ precision: "float64" });
  const { loss } = await train(backend);
  expect(loss[4]).toBeLessThan(loss[0]! - 0.1);
  one.loss.forEach((value, step) => expect(Math.abs(value - loss[step]!)).toBeLessThan(1e-4));
  backend.dispose();
});

test.each([2, 3])("%i threads train to the bits of one", async (threads) => {
  const { backend } = await acquireWasm(threads);
  const { loss, values, dispatches } = await train(backend);
  expect(dispatches.filter(({ kernel, grid }) => kernel.startsWith("matmul") && grid[0] > 1).length).toBeGreaterThan(2);
  expect(loss).toEqual(one.loss);
  expect(values).toEqual(one.values);
  backend.dispose();
});

test("no windows are stored, and the images once", () => {
  const names = one.dispatches.map(({ kernel }) => kernel);
  expect(names.filter((name) => name.includes("patches"))).toEqual([]);
  expect(names.filter((name) => name.includes("takeBatch"))).toEqual(["takeBatch"]);
  expect(names.filter((name) => name.includes("reference"))).toEqual([]);
});
