/*
 * Several graphs of one session use the same parameters. The order and time of their compilation must not change any bit.
 */
import * as fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Backend, Executable, Session } from "../../src/backends/backend.ts";
import { createCpuBackend } from "../../src/backends/cpu/index.ts";
import { defineGraph, updatedLeaves, type Graph } from "../../src/graph/graph.ts";
import { constant, input, isStored, parameter, state, stepScalar } from "../../src/graph/leaves.ts";
import type { Tensor } from "../../src/graph/tensor.ts";
import { dense, sequential } from "../../src/nn/index.ts";
import { optimizers } from "../../src/index.ts";
import { add, multiply, square, subtract, tanh } from "../../src/ops/elementwise/index.ts";
import { gradients } from "../../src/ops/gradients.ts";
import { sigmoidBinaryCrossEntropy } from "../../src/ops/losses/index.ts";
import { matmul } from "../../src/ops/matmul/index.ts";
import { mean, sum } from "../../src/ops/reduce/index.ts";
import { Random } from "../../src/random.ts";
import { backends } from "../backends.ts";
import { acquireGuardedBackend } from "../gpu.ts";
import { requireIntactGuards } from "../guarded-buffers.ts";

const random = new Random(17);
const drawn = (count: number) => Float32Array.from({ length: count }, () => random.uniform(-1, 1));
const inputs = drawn(6 * 5);

/** A network with three layers, and graphs that use and update its parameters in all ways. */
function network() {
  const x = input("x", [6, 5]);
  const initial = new Random(5);
  const weight = (name: string, ...shape: number[]) =>
    parameter(
      name,
      shape,
      Float32Array.from({ length: shape.reduce((a, b) => a * b) }, () => initial.uniform(-0.5, 0.5)),
    );
  const [a, b, c, d] = [weight("a", 5, 7), weight("b", 7), weight("c", 7, 3), weight("d", 3)];
  const hidden = tanh(add(matmul(x, a), b));
  const outputs = add(matmul(hidden, c), d);
  const loss = mean(square(subtract(outputs, 0.5)));
  const learningRate = constant(0.05);
  const step = (rule: { update: ReturnType<typeof optimizers.adam>["update"] }, parameters: readonly Tensor[]) =>
    defineGraph({ loss }, rule.update(parameters, gradients(loss, parameters), { learningRate }));
  const count = state("count", []);
  const graphs: Readonly<Record<string, Graph>> = {
    predict: defineGraph({ outputs, loss }),
    all: step(optimizers.adam(), [a, b, c, d]),
    // In another order, and without one of the members.
    outer: step(optimizers.momentum(), [d, a]),
    middle: step(optimizers.sgd(), [b, c]),
    last: step(optimizers.adam(), [c, d]),
    one: step(optimizers.rmsprop(), [b]),
    alone: defineGraph({ count, size: sum(square(c)) }, [
      { target: a, value: multiply(a, 0.99) },
      { target: c, value: add(c, multiply(sum(a), 0.001)) },
      { target: count, value: add(count, 1) },
    ]),
  };
  const leaves = new Set(Object.values(graphs).flatMap(({ nodes }) => nodes.filter(isStored)));
  return { x, graphs, leaves: [...leaves], names: Object.keys(graphs) };
}

/** What is run, in this order, whatever the order of compilation. */
const runs = [
  "predict",
  "all",
  "outer",
  "predict",
  "middle",
  "alone",
  "last",
  "one",
  "all",
  "alone",
  "outer",
  "middle",
  "predict",
];

interface Found {
  readonly leaves: readonly (readonly number[])[];
  readonly losses: readonly number[];
  readonly outputs: readonly number[];
}

/**
 * Runs all graphs of a new network.
 * @param first the graphs compiled before the first run, in their order; the others are compiled when they come up
 */
async function valuesAfter(backend: Backend, first: readonly string[]): Promise<Found> {
  const { x, graphs, leaves } = network();
  const session = backend.createSession();
  const executables = new Map<string, Executable>();
  const compile = async (name: string) => {
    const executable = executables.get(name) ?? (await session.compile(graphs[name]!));
    executables.set(name, executable);
    return executable;
  };
  for (const name of first) await compile(name);
  const losses: number[] = [];
  for (const [position, name] of runs.entries()) {
    const executable = await compile(name);
    if (position === 0) session.write(x, inputs);
    const traces = await executable.run(3 * position, 3);
    losses.push(...(traces.loss ?? traces.size)!);
  }
  for (const executable of executables.values()) await requireIntactGuards(executable);
  const known = await Promise.all(leaves.map(async (leaf) => [...(await session.read(leaf))]));
  const outputs = [...(await executables.get("predict")!.read("outputs"))];
  session.dispose();
  return { leaves: known, losses, outputs };
}

describe("on WebGPU", () => {
  let backend: Backend;
  beforeAll(async () => {
    backend = await acquireGuardedBackend();
  });
  afterAll(() => backend.dispose());

  test("any order of compilation gives the same bits, and the results of the CPU", { timeout: 240_000 }, async () => {
    const { names } = network();
    const expected = await valuesAfter(backend, []);
    const onCpu = await valuesAfter(createCpuBackend(), names);
    expected.leaves.forEach((values, leaf) =>
      values.forEach((value, at) => expect(value).toBeCloseTo(onCpu.leaves[leaf]![at]!, 4)),
    );
    expected.losses.forEach((value, at) => expect(value).toBeCloseTo(onCpu.losses[at]!, 4));
    expect(expected.leaves.flat().every(Number.isFinite)).toBe(true);
    const orders = fc.shuffledSubarray(names);
    const sameBits = fc.asyncProperty(orders, async (order) => {
      expect(await valuesAfter(backend, order)).toEqual(expected);
    });
    await fc.assert(sameBits, { numRuns: 15 });
  });

  test("a graph that is compiled before another one that packs its leaves costs no dispatch in either", async () => {
    const dispatchesOf = async (order: readonly string[]) => {
      const { graphs } = network();
      const session = backend.createSession();
      const counts: Record<string, number> = {};
      for (const name of order) counts[name] = (await session.compile(graphs[name]!)).dispatches.length;
      session.dispose();
      return counts;
    };
    expect(await dispatchesOf(["predict", "all"])).toEqual(await dispatchesOf(["all", "predict"]));
    // Adjacent leaves of a pack are themselves a pack.
    const { last } = await dispatchesOf(["last"]);
    expect((await dispatchesOf(["predict", "all", "last"])).last).toBe(last);
  });

  test("steps after leaves have moved create nothing", async () => {
    const { x, graphs } = network();
    const session = backend.createSession();
    const predict = await session.compile(graphs.predict!);
    session.write(x, inputs);
    await predict.run(0, 1);
    const train = await session.compile(graphs.all!);
    await Promise.all([predict.run(1, 1), train.run(0, 1)]);
    const { createBindGroup } = GPUDevice.prototype;
    let made = 0;
    GPUDevice.prototype.createBindGroup = function (descriptor) {
      made++;
      return createBindGroup.call(this, descriptor);
    };
    try {
      for (let step = 1; step < 5; step++) await Promise.all([predict.run(step, 1), train.run(step, 1)]);
    } finally {
      GPUDevice.prototype.createBindGroup = createBindGroup;
    }
    expect(made).toBe(0);
  });

  test("leaves move in the order of the queue: runs, writes and reads in flight see the right values", async () => {
    const { x, graphs } = network();
    const session = backend.createSession();
    const predict = await session.compile(graphs.predict!);
    session.write(x, inputs);
    const [leaf] = updatedLeaves(graphs.one!.updates[0]!.target) as [Tensor];
    session.write(leaf, new Float32Array(7).fill(2));
    const running = predict.run(0, 1);
    const reading = session.read(leaf);
    const [train] = await Promise.all([
      session.compile(graphs.all!),
      session.compile(graphs.middle!),
      session.compile(graphs.predict!),
    ]);
    expect([...(await reading)]).toEqual(new Array(7).fill(2));
    expect([...(await session.read(leaf))]).toEqual(new Array(7).fill(2));
    expect((await predict.run(0, 1)).loss).toEqual((await running).loss);
    const before = (await train.run(0, 1)).loss;
    expect(before).toEqual((await running).loss);
    session.write(leaf, new Float32Array(7).fill(2));
    expect([...(await session.read(leaf))]).toEqual(new Array(7).fill(2));
    session.dispose();
  });

  test("an output that is also the new value of a leaf keeps the value of its step", async () => {
    const x = parameter("x", [3], [1, 2, 3]);
    const session = backend.createSession();
    const doubled = multiply(x, 2);
    const executable = await session.compile(defineGraph({ doubled }, [{ target: x, value: doubled }]));
    await executable.run(0, 1);
    session.write(x, new Float32Array(3));
    expect([...(await executable.read("doubled"))]).toEqual([2, 4, 6]);
  });
});

/** A generative adversarial network in its simplest form, with an optimizer for each network. */
function adversarialNetwork() {
  const noise = input("noise", [16, 4]);
  const real = input("real", [16, 2]);
  const generator = sequential([dense(8, { activation: "tanh" }), dense(2)], { inputShape: [4], seed: 1 });
  const discriminator = sequential([dense(8, { activation: "leakyRelu" }), dense(1)], { inputShape: [2], seed: 2 });
  const [ones, zeros] = [
    constant(new Array<number>(16).fill(1), [16, 1]),
    constant(new Array<number>(16).fill(0), [16, 1]),
  ];
  const generated = generator.apply(noise);
  const judged = discriminator.apply(generated);
  const learningRate = stepScalar("rate", (step) => 0.01 / (1 + step / 100));
  const generatorLoss = sigmoidBinaryCrossEntropy(judged, ones);
  const discriminatorLoss = add(
    sigmoidBinaryCrossEntropy(discriminator.apply(real), ones),
    sigmoidBinaryCrossEntropy(judged, zeros),
  );
  const step = (name: string, loss: Tensor, parameters: readonly Tensor[]) =>
    defineGraph({ [name]: loss }, optimizers.adam().update(parameters, gradients(loss, parameters), { learningRate }));
  return {
    noise,
    real,
    steps: [
      step("discriminator", discriminatorLoss, discriminator.parameters),
      step("generator", generatorLoss, generator.parameters),
    ] as const,
    both: defineGraph({ generated, generator: generatorLoss, discriminator: discriminatorLoss }),
    parameters: [...generator.parameters, ...discriminator.parameters],
  };
}

async function trainAdversaries(session: Session, order: readonly ("steps" | "both")[]) {
  const { noise, real, steps, both, parameters } = adversarialNetwork();
  const compiled: Partial<Record<"discriminator" | "generator" | "both", Executable>> = {};
  for (const part of order) {
    if (part === "both") compiled.both = await session.compile(both);
    else
      for (const [index, graph] of steps.entries())
        compiled[index === 0 ? "discriminator" : "generator"] = await session.compile(graph);
  }
  const data = new Random(9);
  const losses: number[] = [];
  for (let step = 0; step < 20; step++) {
    session.write(
      noise,
      Float32Array.from({ length: 64 }, () => data.normal(0, 1)),
    );
    session.write(
      real,
      Float32Array.from({ length: 32 }, (_, at) => data.normal(at % 2 === 0 ? 2 : -1, 0.3)),
    );
    const [judged, made, seen] = await Promise.all([
      compiled.discriminator!.run(step, 1),
      compiled.generator!.run(step, 1),
      compiled.both!.run(step, 1),
    ]);
    losses.push(judged.discriminator![0]!, made.generator![0]!, seen.generator![0]!, seen.discriminator![0]!);
  }
  const values = await Promise.all(parameters.map(async (leaf) => [...(await session.read(leaf))]));
  return { losses, values, generated: [...(await compiled.both!.read("generated"))] };
}

describe.each(backends)("a generative adversarial network on $name", ({ create }) => {
  test("trains as on the CPU in float64, whether the graph that reads everything is compiled first or last", async () => {
    const judge = await trainAdversaries(createCpuBackend({ precision: "float64" }).createSession(), ["steps", "both"]);
    const backend = await create();
    const [first, last] = [
      await trainAdversaries(backend.createSession(), ["both", "steps"]),
      await trainAdversaries(backend.createSession(), ["steps", "both"]),
    ];
    expect(first).toEqual(last);
    first.losses.forEach((loss, at) => expect(Math.abs(loss / judge.losses[at]! - 1), `loss ${at}`).toBeLessThan(1e-4));
    // It learns: the discriminator is better than chance, for which its loss would be 2 ln 2.
    expect(last.losses.at(-1)).toBeLessThan(2 * Math.LN2);
    backend.dispose();
  });
});
