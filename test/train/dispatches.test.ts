/*
 * What a training step of networks for images compiles to. A network is written three times: as a chain of layers, as a
 * function that uses them, and by hand as a graph of ops.
 */
import { describe, expect, test } from "vitest";
import type { Backend, DispatchDescription, Session } from "../../src/backends/backend.ts";
import { defineGraph, type Graph, type Update } from "../../src/graph/graph.ts";
import { input, parameter, state, stepScalar, type StoredAttributes } from "../../src/graph/leaves.ts";
import { sizeOf, type Shape, type Tensor } from "../../src/graph/tensor.ts";
import {
  activation,
  dense,
  flatten,
  functionalModel,
  layers,
  momentUpdates,
  optimizers,
  sequential,
  type ApplyOptions,
  type BatchMoments,
  type Layer,
  type ModelFunction,
} from "../../src/nn/index.ts";
import { packGradients } from "../../src/nn/packed.ts";
import { storedLeaves } from "../../src/nn/sequential.ts";
import { conv2d, globalAveragePool2d, maxPool2d, type Padding } from "../../src/ops/convolution/index.ts";
import { add, multiply, relu } from "../../src/ops/elementwise/index.ts";
import { gradients } from "../../src/ops/gradients.ts";
import { pack, reshape } from "../../src/ops/layout/index.ts";
import { softmaxCrossEntropy } from "../../src/ops/losses/index.ts";
import { matmul } from "../../src/ops/matmul/index.ts";
import { batchNorm } from "../../src/ops/normalization/index.ts";
import { Random } from "../../src/random.ts";
import { backends } from "../backends.ts";
import { acquireBackend, CreationCounter } from "../gpu.ts";
import { acquireWasm, usedHeap } from "../wasm.ts";

const BATCH = 8;
const CLASSES = 5;
const IMAGE = [14, 14, 1] as const;

const [x, labels] = [input("x", [BATCH, ...IMAGE]), input("labels", [BATCH], "uint32")];

/** The parameters of a network, the moments of its batch, and its outputs for x. */
interface Network {
  readonly parameters: readonly Tensor[];
  /** All leaves with values, in the order of the model's. */
  readonly stored: readonly Tensor[];
  readonly outputs: Tensor;
  readonly statistics: readonly Update[];
}

/** The network of a model, in training. */
function networkOf(model: Parameters<typeof storedLeaves>[0], apply: (options: ApplyOptions) => Tensor): Network {
  const moments: BatchMoments[] = [];
  const outputs = apply({ training: true, recordMoments: (one) => moments.push(one) });
  return { parameters: model.parameters, stored: storedLeaves(model), outputs, statistics: momentUpdates(moments) };
}

function asChain(chain: readonly Layer[]): Network {
  const model = sequential(chain, { inputShape: IMAGE });
  return networkOf(model, (options) => model.apply(x, options));
}

function asFunction(compute: ModelFunction<"x", "y">): Network {
  const model = functionalModel({ inputs: { x: IMAGE } }, compute);
  return networkOf(model, (options) => model.apply({ x }, options).y);
}

/** The leaves of a network that is written by hand. */
class Leaves {
  readonly parameters: Tensor[] = [];
  readonly #means: [running: Tensor, ofBatch: Tensor][] = [];
  readonly #variances: [running: Tensor, ofBatch: Tensor][] = [];
  readonly #states: Tensor[] = [];

  parameter(name: string, shape: Shape): Tensor {
    const made = parameter(name, shape, new Float32Array(sizeOf(shape)));
    this.parameters.push(made);
    return made;
  }

  /** relu(batchNorm(convolution)), or without the relu. */
  block(
    values: Tensor,
    outputs: number,
    { window = 3, stride = 1, padding = 0 as Padding, rectified = true } = {},
  ): Tensor {
    const [name, channels] = [`block ${this.parameters.length}`, values.shape[3]!];
    const kernel = this.parameter(`${name} weights`, [window, window, channels, outputs]);
    const affine = {
      weight: this.parameter(`${name} factors`, [outputs]),
      bias: this.parameter(`${name} summands`, [outputs]),
    };
    const convolved = conv2d(values, kernel, { stride, padding });
    const normalized = batchNorm(convolved, { affine });
    const [mean, variance] = [state(`${name} mean`, [outputs]), state(`${name} variance`, [outputs])];
    const count = convolved.size / outputs;
    this.#states.push(mean, variance);
    this.#means.push([mean, normalized.mean]);
    this.#variances.push([variance, multiply(normalized.variance, count / (count - 1))]);
    return rectified ? relu(normalized.values) : normalized.values;
  }

  dense(values: Tensor, outputs: number): Tensor {
    const weights = this.parameter("weights", [values.shape[1]!, outputs]);
    return add(matmul(values, weights), this.parameter("bias", [outputs]));
  }

  network(outputs: Tensor): Network {
    const averages = (pairs: readonly [running: Tensor, ofBatch: Tensor][]): Update => {
      const target = pack(pairs.map(([running]) => running));
      return { target, value: add(multiply(target, 0.9), pack(pairs.map(([, ofBatch]) => multiply(ofBatch, 0.1)))) };
    };
    const { parameters } = this;
    const statistics = [averages(this.#means), averages(this.#variances)];
    return { parameters, stored: [...parameters, ...this.#states], outputs, statistics };
  }
}

const rectifier = () => activation("relu");
const normalized = (outputs: number, options: Parameters<typeof layers.conv2d>[2] = {}, window = 3) => [
  layers.conv2d(outputs, window, { bias: false, ...options }),
  layers.batchNorm(),
];
const block = (...all: Parameters<typeof normalized>) => [...normalized(...all), rectifier()];

/** The layers of the preset cnn, with fewer outputs. */
const convolutional = {
  chain: () =>
    asChain([
      ...block(4),
      ...block(4),
      layers.maxPool2d(2),
      ...block(8, { padding: "same" }),
      layers.maxPool2d(2),
      flatten(),
      dense(CLASSES),
    ]),
  function: () =>
    asFunction(({ x: image }, { use }) => {
      const blockOf = (outputs: number, values: Tensor, padding: Padding = 0) =>
        block(outputs, { padding }).reduce((result, layer) => use(layer, result), values);
      const first = use(layers.maxPool2d(2), blockOf(4, blockOf(4, image)));
      const second = use(layers.maxPool2d(2), blockOf(8, first, "same"));
      return { y: use(dense(CLASSES), use(flatten(), second)) };
    }),
  hand: () => {
    const own = new Leaves();
    const first = maxPool2d(own.block(own.block(x, 4), 4), 2);
    const second = maxPool2d(own.block(first, 8, { padding: "same" }), 2);
    return own.network(own.dense(reshape(second, [BATCH, -1]), CLASSES));
  },
};

/** The first layers of the preset resnet, with fewer outputs: one block without and one with a projection. */
const residual = {
  chain: () =>
    asChain([
      ...block(4, { padding: "same" }),
      layers.residual([...block(4, { padding: "same" }), ...normalized(4, { padding: "same" })]),
      rectifier(),
      layers.residual([...block(8, { padding: "same", stride: 2 }), ...normalized(8, { padding: "same" })], {
        projection: normalized(8, { stride: 2 }, 1),
      }),
      rectifier(),
      layers.globalAveragePool2d(),
      dense(CLASSES),
    ]),
  function: () =>
    asFunction(({ x: image }, { use }) => {
      const all = (chain: readonly Layer[], values: Tensor) =>
        chain.reduce((result, layer) => use(layer, result), values);
      const convolved = (outputs: number, values: Tensor, stride = 1) =>
        all(normalized(outputs, { padding: "same", stride }), values);
      const start = relu(convolved(4, image));
      const first = relu(add(convolved(4, relu(convolved(4, start))), start));
      const inner = convolved(8, relu(convolved(8, first, 2)));
      const second = relu(add(inner, all(normalized(8, { stride: 2 }, 1), first)));
      return { y: use(dense(CLASSES), use(layers.globalAveragePool2d(), second)) };
    }),
  hand: () => {
    const own = new Leaves();
    const same = { padding: "same" as const };
    const start = own.block(x, 4, same);
    const first = relu(add(own.block(own.block(start, 4, same), 4, { ...same, rectified: false }), start));
    const inner = own.block(own.block(first, 8, { ...same, stride: 2 }), 8, { ...same, rectified: false });
    const projected = own.block(first, 8, { window: 1, stride: 2, rectified: false });
    const second = relu(add(inner, projected));
    return own.network(own.dense(globalAveragePool2d(second), CLASSES));
  },
};

/** A training step with Adam. */
function stepOf({ parameters, outputs, statistics }: Network): Graph {
  const loss = softmaxCrossEntropy(outputs, labels);
  const packed = packGradients(gradients(loss, parameters));
  const learningRate = stepScalar("learning rate", (step) => 0.01 / (1 + step / 50));
  return defineGraph({ loss }, [...optimizers.adam().update(parameters, packed, { learningRate }), ...statistics]);
}

/** Writes a batch, and the same values into the parameters and states of each network. */
function writeValues(session: Session, { stored }: Network): void {
  const random = new Random(3);
  session.write(
    x,
    Float32Array.from({ length: x.size }, () => random.normal()),
  );
  session.write(
    labels,
    Uint32Array.from({ length: BATCH }, (_, index) => index % CLASSES),
  );
  for (const leaf of stored) {
    const isVariance = /[vV]ariance$/.test((leaf.attributes as StoredAttributes).name);
    session.write(
      leaf,
      Float32Array.from({ length: leaf.size }, () => (isVariance ? 1 : random.normal(0.1, 0.2))),
    );
  }
}

interface Compiled {
  readonly dispatches: readonly DispatchDescription[];
  readonly losses: readonly number[];
  /** All values after the steps. */
  readonly values: readonly (readonly number[])[];
}

async function compiled(backend: Backend, network: Network): Promise<Compiled> {
  const session = backend.createSession();
  const executable = await session.compile(stepOf(network));
  writeValues(session, network);
  const { loss } = await executable.run(0, 24);
  const values = await Promise.all(network.stored.map(async (leaf) => [...(await session.read(leaf))]));
  session.dispose();
  return { dispatches: executable.dispatches, losses: [...loss!], values };
}

describe.each(backends.slice(1))("on $name", ({ create }) => {
  test.each([
    ["a convolutional network", convolutional],
    ["a residual network", residual],
  ])("%s of layers or of a function has the dispatches and the bits of the one by hand", async (_, forms) => {
    const backend = await create();
    const byHand = await compiled(backend, forms.hand());
    expect(byHand.losses.at(-1)!).toBeLessThan(0.9 * byHand.losses[0]!);
    for (const form of ["chain", "function"] as const) {
      const found = await compiled(backend, forms[form]());
      expect(found.dispatches, form).toEqual(byHand.dispatches);
      expect(found.losses, form).toEqual(byHand.losses);
      expect(found.values, form).toEqual(byHand.values);
    }
    backend.dispose();
  });
});

describe("the loop of a functional model", () => {
  test("makes no object on the GPU", async () => {
    const backend = await acquireBackend();
    const counter = new CreationCounter();
    try {
      const network = convolutional.function();
      const session = backend.createSession();
      const executable = await session.compile(stepOf(network));
      writeValues(session, network);
      await executable.run(0, 10);
      expect(counter.take()["createBindGroup"]).toBeGreaterThan(0);
      for (let step = 10; step < 50; step += 8)
        await Promise.all([executable.run(step, 4), executable.run(step + 4, 4)]);
      expect(counter.take()).toEqual({});
    } finally {
      counter.stop();
      backend.dispose();
    }
  });

  test("reserves no memory on wasm, and allocates next to none", async () => {
    const { backend, device } = await acquireWasm(2);
    const network = convolutional.function();
    const session = backend.createSession();
    const executable = await session.compile(stepOf(network));
    writeValues(session, network);
    await executable.run(0, 1000);
    const { memory } = device();
    const { reserved, floats } = memory;
    const before = usedHeap();
    await executable.run(1000, 3000);
    const perStep = (process.memoryUsage().heapUsed - before) / 3000;
    expect(memory.reserved).toBe(reserved);
    expect(Object.is(memory.floats, floats)).toBe(true);
    // After each dispatch, the clock returns a number, which V8 keeps on the heap.
    expect(perStep / executable.dispatches.length).toBeLessThan(64);
    backend.dispose();
  });
});
