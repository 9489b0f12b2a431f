import { afterAll, beforeAll, expect, test } from "vitest";
import type { Backend } from "../../src/backends/backend.ts";
import { fuse, nodesOf, type Group } from "../../src/compiler/fuse.ts";
import { plan } from "../../src/compiler/plan.ts";
import { wholeBuffer } from "../../src/compiler/regions.ts";
import { defineGraph, type Graph } from "../../src/graph/graph.ts";
import { input, parameter, stepScalar } from "../../src/graph/leaves.ts";
import { sizeOf, type Shape, type Tensor } from "../../src/graph/tensor.ts";
import { adam } from "../../src/nn/optimizers.ts";
import { packGradients } from "../../src/nn/packed.ts";
import { createNodeBackend } from "../../src/node/index.ts";
import { conv2d, maxPool2d } from "../../src/ops/convolution/index.ts";
import { add, multiply, relu } from "../../src/ops/elementwise/index.ts";
import { gradients } from "../../src/ops/gradients.ts";
import { reshape } from "../../src/ops/layout/index.ts";
import { softmaxCrossEntropy } from "../../src/ops/losses/index.ts";
import { matmul } from "../../src/ops/matmul/index.ts";
import { sum } from "../../src/ops/reduce/index.ts";
import { usualRules } from "./usual-rules.ts";

const names = (group: Group) => nodesOf(group).map(({ op }) => op.name);
const groupsOf = (graph: Graph) => fuse(graph, usualRules).groups;

/** Bytes of all buffers that a plan makes, of which several regions may share one. */
function plannedBytes(graph: Graph): number {
  const { regions } = plan(graph, fuse(graph, usualRules), usualRules, (tensor) =>
    tensor.op.kind === "leaf" ? wholeBuffer("leaf", tensor.size) : undefined,
  );
  const leaves = new Set(graph.nodes.filter(({ op }) => op.kind === "leaf").map((leaf) => regions.get(leaf)?.buffer));
  const buffers = new Set([...regions.values()].map(({ buffer }) => buffer));
  return [...buffers].reduce((total, buffer) => total + (leaves.has(buffer) ? 0 : 4 * buffer.elements), 0);
}

const drawn = (name: string, shape: Shape) => parameter(name, shape, new Float32Array(sizeOf(shape)).fill(0.01));

const images = input("images", [8, 28, 28, 16]);
const weights = drawn("weights", [3, 3, 16, 16]);
const bias = drawn("bias", [16]);
const forward = relu(conv2d(images, weights, { padding: "same", bias }));

test("a convolution with bias and activation is one dispatch, and stores its result alone", () => {
  const graph = defineGraph({ forward });
  expect(groupsOf(graph).map(names)).toEqual([["matmul", "add", "relu"]]);
  expect(plannedBytes(graph)).toBe(4 * forward.size);
});

test("the gradients of weights and bias are two dispatches, that of the images one; no windows are stored", () => {
  const upstream = input("upstream", forward.shape);
  const output = conv2d(images, weights, { padding: "same", bias });
  const graphOf = (targets: readonly Tensor[]) => {
    const total = matmul(reshape(output, [1, -1]), reshape(upstream, [-1, 1]));
    const found = gradients(reshape(total, []), targets);
    return defineGraph(Object.fromEntries(found.map((tensor, index) => [`gradient ${index}`, tensor])));
  };
  const ofWeights = graphOf([weights, bias]);
  expect(groupsOf(ofWeights).map(names)).toEqual([["matmul"], ["matmul", "sum"], ["sumOfParts", "sumOfParts"]]);
  expect(groupsOf(graphOf([images])).map(names)).toEqual([["matmul"], ["matmul"]]);
  const windows = 4 * images.size * 9;
  expect(plannedBytes(ofWeights)).toBeLessThan(windows / 4);
  expect(plannedBytes(graphOf([images]))).toBeLessThan(windows / 3);
});

/** 3×3 convolutions of 16, 16, 32 and 32 outputs, pooled after each second one, and a dense layer. */
function networkStep(batch: number): Graph {
  const x = input("x", [batch, 28, 28, 1]);
  const labels = input("labels", [batch], "uint32");
  const parameters: Tensor[] = [];
  const own = (name: string, shape: Shape) => {
    const tensor = drawn(name, shape);
    parameters.push(tensor);
    return tensor;
  };
  let values: Tensor = x;
  [16, 16, 32, 32].forEach((outputs, layer) => {
    const kernel = own(`weights ${layer}`, [3, 3, values.shape[3]!, outputs]);
    values = relu(conv2d(values, kernel, { padding: "same", bias: own(`bias ${layer}`, [outputs]) }));
    if (layer % 2 === 1) values = maxPool2d(values, 2);
  });
  const flat = reshape(values, [batch, -1]);
  const logits = add(matmul(flat, own("weights", [flat.shape[1]!, 10])), own("bias", [10]));
  const loss = softmaxCrossEntropy(logits, labels);
  const packed = packGradients(gradients(loss, parameters));
  const learningRate = stepScalar("learning rate", () => 1e-3);
  return defineGraph({ loss }, adam().update(parameters, packed, { learningRate }));
}

test("a step of four convolutions, two poolings and a dense layer is at most 25 dispatches", () => {
  const groups = groupsOf(networkStep(64));
  expect(groups.length).toBeLessThanOrEqual(25);
  expect(groups.map(names).filter((ops) => ops.includes("patches"))).toEqual([]);
});

let backend: Backend;
beforeAll(async () => {
  backend = await createNodeBackend({ device: "webgpu" });
});
afterAll(() => backend.dispose());

test("the gradient of 9 × 16 weights over 50,176 windows is divided among at least 64 workgroups", async () => {
  const x = input("x", [64, 28, 28, 1]);
  const upstream = input("upstream", [64, 28, 28, 16]);
  const kernel = drawn("w", [3, 3, 1, 16]);
  const product = multiply(conv2d(x, kernel, { padding: "same" }), upstream);
  const graph = defineGraph({ gradient: gradients(sum(product), [kernel])[0] });
  const { dispatches } = await backend.createSession().compile(graph);
  expect(dispatches.map(({ kernel: name }) => name)).toEqual(["multiply", "matmul", "sumOfParts"]);
  expect(sizeOf(dispatches[1]!.grid)).toBeGreaterThanOrEqual(64);
});

test("a convolution of 512 images is one launch", async () => {
  const x = input("x", [512, 28, 28, 1]);
  const graph = defineGraph({ out: conv2d(x, drawn("w", [3, 3, 1, 16]), { padding: "same" }) });
  const { dispatches } = await backend.createSession().compile(graph);
  expect(dispatches.length).toBe(1);
});
