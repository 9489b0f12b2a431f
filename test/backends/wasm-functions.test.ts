/*
 * Generated functions: the same bits by any ranges, and nothing written outside of them. That the values are right is
 * tested op by op on the backend that runs them (test/ops).
 */
import { describe, expect, test } from "vitest";
import { chainFunction, fillFunction, type ChainFunction } from "../../src/backends/wasm/functions/index.ts";
import { wasmRules } from "../../src/backends/wasm/rules.ts";
import { isGenerated } from "../../src/backends/wasm/reference.ts";
import { fuse } from "../../src/compiler/fuse.ts";
import { defineGraph } from "../../src/graph/graph.ts";
import { constant, constantOp, input, stepScalar, type ConstantAttributes } from "../../src/graph/leaves.ts";
import type { Tensor } from "../../src/graph/tensor.ts";
import { rootOf } from "../../src/graph/views.ts";
import type { NumericArray } from "../../src/ops/kernel.ts";
import { dropoutMask } from "../../src/ops/dropout/index.ts";
import {
  add,
  divide,
  elementwise,
  exp,
  multiply,
  relu,
  select,
  sqrt,
  square,
  subtract,
  tanh,
  toFloat,
} from "../../src/ops/elementwise/index.ts";
import { takeBatch } from "../../src/ops/gather/index.ts";
import { toIndex } from "../../src/ops/convert/index.ts";
import { patches } from "../../src/ops/convolution/patches.ts";
import { windowsOf } from "../../src/ops/convolution/windows.ts";
import { concat, flip, pad, slice, take } from "../../src/ops/indexing/index.ts";
import { randomUniform } from "../../src/ops/random/index.ts";
import { axisIndex, reshape, transpose } from "../../src/ops/layout/index.ts";
import { pcgHash, Random } from "../../src/random.ts";
import { allCases } from "../ops/all-cases.ts";
import { buildCase, caseGradients, drawValues } from "../ops/evaluate.ts";
import { seed } from "../ops/parity.ts";
import { call, type CallOptions } from "./wasm-harness.ts";

interface Generated {
  readonly made: ChainFunction;
  readonly size: number;
  readonly results: readonly Tensor[] | "scratch";
}

/** Every function that a graph needs. */
function functionsOf(outputs: Readonly<Record<string, Tensor>>): Generated[] {
  const { groups, inlined } = fuse(defineGraph(outputs), wasmRules);
  const chains = groups.flatMap(({ members, outputs: stored }) =>
    members.flatMap((member): Generated[] => {
      // Groups with an op that has no function run its reference loop.
      if (member.chain.length === 0 || !member.chain.every((node) => isGenerated(node, inlined))) return [];
      const results = member.chain.filter((node) => stored.includes(node));
      return [{ made: chainFunction(member, stored, inlined), size: member.chain[0]!.size, results }];
    }),
  );
  const generated = [...inlined].filter((node) => isGenerated(node, inlined));
  const fills = generated.map((node): Generated => {
    return { made: fillFunction(node, inlined), size: node.size, results: "scratch" };
  });
  return [...chains, ...fills];
}

/** The one function of a chain that reads leaves. */
function functionOf(output: Tensor): Generated {
  const found = functionsOf({ output }).filter(({ results }) => results !== "scratch");
  expect(found).toHaveLength(1);
  return found[0]!;
}

const bitsOf = (values: readonly number[]) => [...new Uint32Array(Float32Array.from(values).buffer)];

/** What a chain computes from its leaves, as float32 numbers. */
async function valuesOf(output: Tensor, values: Map<Tensor, NumericArray>, options?: CallOptions) {
  const { made, size, results } = functionOf(output);
  const [found] = await call(made, size, values, results, options);
  return [...new Float32Array(found!.buffer)];
}

/** Cuts that are no multiples of four, and for short chains between all elements. */
function divisions(size: number): number[][] {
  const uneven = [1, 3, Math.ceil(size / 3), Math.ceil(size / 3) + 2, Math.ceil(size / 1.5) + 1, size - 1];
  const inside = [...new Set(uneven)].filter((cut) => cut > 0 && cut < size).sort((a, b) => a - b);
  const each = Array.from({ length: size - 1 }, (_, index) => index + 1);
  return size <= 64 ? [inside, each] : [inside];
}

describe("equal bits by any ranges, and nothing else written", () => {
  test.each(allCases)("$name", async (opCase) => {
    const built = buildCase(opCase);
    const random = new Random(seed, 7);
    const drawn = drawValues(built, random, true);
    const values = new Map<Tensor, NumericArray>();
    for (const [name, leaf] of Object.entries(built.leaves)) values.set(leaf, drawn[name]!);
    /** Values that other functions and kernels compute. */
    const between = ({ op, size, dtype, attributes }: Tensor): NumericArray => {
      const stored = dtype === "float32" ? Float32Array : Uint32Array;
      if (op === constantOp) return stored.from((attributes as ConstantAttributes).values);
      if (dtype === "float32") return Float32Array.from({ length: size }, () => random.uniform(-2, 2));
      return Uint32Array.from({ length: size }, () => random.below(3));
    };
    for (const { made, size, results } of functionsOf({ output: built.output, ...caseGradients(built) })) {
      for (const tensor of made.tensors)
        if (results === "scratch" || !results.includes(tensor))
          values.set(tensor, values.get(tensor) ?? between(tensor));
      const whole = await call(made, size, values, results);
      for (const cuts of divisions(size)) {
        const found = await call(made, size, values, results, { cuts });
        expect(found.map((bits, place) => bits.findIndex((word, index) => word !== whole[place]![index]))).toEqual(
          found.map(() => -1),
        );
      }
    }
  });
});

/** Loads that take one lane: 0 where all that a chain reads lies together. */
function laneLoads(output: Tensor): number {
  const { code } = functionOf(output).made;
  return code.filter((byte, at) => byte === 0xfd && (code[at + 1] === 0x54 || code[at + 1] === 0x56)).length;
}

describe("neighbors are read as vectors", () => {
  const x = input("x", [6, 35]);
  const start = input("start", [], "uint32");
  const order = input("order", [9], "uint32");
  const images = input("images", [9, 5, 7], "uint8");

  test.each([
    ["a vector", multiply(x, x)],
    ["a row and a column", multiply(add(x, input("row", [35])), input("column", [6, 1]))],
    ["a middle axis", add(reshape(x, [6, 5, 7]), input("middle", [6, 1, 7]))],
    ["examples by an order", takeBatch(images, { start, order, count: 6, scale: 2 })],
    [
      "examples as rows, with a bias",
      add(reshape(takeBatch(images, { start, order, count: 6 }), [6, 35]), input("row", [35])),
    ],
    ["axes that keep the last one", relu(transpose(input("y", [4, 3, 9]), [1, 0, 2]))],
    ["a mask", multiply(x, dropoutMask([6, 35], 0.5, start))],
    ["positions", toFloat(axisIndex([6, 35], 1))],
    ["part of the last axis", slice(x, [undefined, { start: 3, end: 30 }])],
    ["an axis that is reversed, and not the last one", flip(x, 0)],
    ["padding of an axis that is not the last one", pad(x, [[2, 1], 0])],
    ["reflected padding", pad(x, [[2, 1], 0], { mode: "reflect" })],
    ["tensors behind each other", concat([x, input("z", [3, 35])])],
    ["tensors beside each other, whose widths have a common divisor", concat([x, input("z", [6, 14])], 1)],
    ["rows by indices", take(x, input("indices", [8], "uint32"))],
    ["windows of images", patches(input("images", [2, 6, 5, 8]), windowsOf("test", [2, 6, 5, 8], [3, 3], {}))],
    ["random numbers", multiply(x, randomUniform([6, 35], start))],
  ])("%s", (_, output) => {
    expect(laneLoads(output)).toBe(0);
  });

  test("the last axis reversed with another is read lane by lane", () => {
    expect(laneLoads(transpose(x))).toBe(3);
  });
});

test("an index that is computed beside its reader is taken from the lanes of a vector", async () => {
  const [x, key] = [input("x", [5]), stepScalar("key", () => 77, "uint32")];
  const taken = take(x, toIndex(multiply(randomUniform([11], key), 5)));
  const values = new Map<Tensor, NumericArray>([
    [x, Float32Array.of(10, 11, 12, 13, 14)],
    [key, Uint32Array.of(77)],
  ]);
  const expected = Array.from({ length: 11 }, (_, index) => {
    const drawn = (pcgHash((77 ^ pcgHash(index)) >>> 0) >>> 8) * 2 ** -24;
    return 2 * (10 + Math.floor(Math.fround(5 * drawn)));
  });
  expect(new Set(expected).size).toBeGreaterThan(3);
  expect(await valuesOf(multiply(taken, 2), values, { cuts: [3, 6] })).toEqual(expected);
});

describe("a function", () => {
  const leaf = (size: number) => input("x", [size]);

  test("of Adam's step is one loop, whatever the size", async () => {
    const adam = (size: number) => {
      const [p, g, m, v] = ["p", "g", "m", "v"].map((name) => input(name, [size])) as [Tensor, Tensor, Tensor, Tensor];
      const moment = add(multiply(m, 0.9), multiply(g, 0.1));
      const second = add(multiply(v, 0.999), multiply(square(g), 0.001));
      const value = subtract(p, divide(multiply(moment, 0.01), add(sqrt(second), 1e-8)));
      const generated = functionsOf({ moment, second, value });
      expect(generated).toHaveLength(1);
      return { leaves: [p, g, m, v], ...generated[0]! };
    };
    const { leaves, made, size, results } = adam(130);
    expect(made.key).toBe(adam(4096).made.key);
    const values = new Map(leaves.map((given, position) => [given, new Float32Array(size).fill(position + 1)]));
    const found = await call(made, size, values, results);
    const [moment, second, value] = found.map(({ buffer }) => new Float32Array(buffer)[129]!);
    expect(moment).toBeCloseTo(0.9 * 3 + 0.1 * 2, 6);
    expect(second).toBeCloseTo(0.999 * 4 + 0.001 * 4, 6);
    expect(value).toBeCloseTo(1 - (0.01 * 2.9) / 2, 6);
  });

  test("decides once which of two values it stores, where one condition holds for all elements", async () => {
    const [x, y] = [leaf(11), input("y", [11])];
    const isBlocked = input("isBlocked", []);
    const root = sqrt(y);
    const outputs = { first: select(isBlocked, x, root), second: select(isBlocked, y, add(x, root)) };
    const [generated, ...others] = functionsOf(outputs);
    expect(others).toEqual([]);
    const [made, size, results] = [generated!.made, 11, Object.values(outputs)];
    const drawn = (scale: number) => Float32Array.from({ length: 11 }, (_, index) => Math.fround(scale * index + 1));
    const [xs, ys] = [drawn(0.3), drawn(0.7)];
    const run = (condition: number) => {
      const values: Map<Tensor, NumericArray> = new Map<Tensor, NumericArray>([
        [x, xs],
        [y, ys],
        [isBlocked, Float32Array.of(condition)],
      ]);
      return call(made, size, values, results, { cuts: [3, 4] });
    };
    const expected = [
      [xs, ys],
      [ys.map(Math.sqrt), xs.map((value, index) => value + Math.fround(Math.sqrt(ys[index]!)))],
    ].map((pair) => pair.map((values) => bitsOf([...values])));
    // NaN is not 0, so it chooses the first value, as in each element's own selection.
    for (const condition of [1, -3, NaN])
      expect((await run(condition)).map((found) => [...found])).toEqual(expected[0]);
    for (const condition of [0, -0]) expect((await run(condition)).map((found) => [...found])).toEqual(expected[1]);
    // A condition for each element is not decided once.
    const eachOwn = functionOf(select(leaf(11), x, sqrt(y)));
    const instructions = (code: ChainFunction["code"]) => code.join(" ");
    const ANY_TRUE = "253 83";
    expect(instructions(made.code)).toContain(ANY_TRUE);
    expect(instructions(eachOwn.made.code)).not.toContain(ANY_TRUE);
  });

  test("writes where it reads", async () => {
    const x = leaf(23);
    const values = Float32Array.from({ length: 23 }, (_, index) => index / 4);
    const output = add(multiply(x, x), x);
    const options = { cuts: [9], inPlaceOf: new Map([[output, x]]) };
    expect(await valuesOf(output, new Map([[x, values]]), options)).toEqual(
      [...values].map((value) => value * value + value),
    );
  });

  test("runs over shared memory", async () => {
    const x = leaf(5);
    expect(await valuesOf(multiply(x, 3), new Map([[x, Float32Array.of(1, 2, 3, 4, 5)]]), { shared: true })).toEqual([
      3, 6, 9, 12, 15,
    ]);
  });

  test("of a long chain, each of whose values is read twice, is written at once", async () => {
    const x = leaf(6);
    const doubled = Array.from({ length: 60 }).reduce<Tensor>((sum) => add(sum, sum), x);
    expect(await valuesOf(doubled, new Map([[x, new Float32Array(6).fill(3)]]))).toEqual(
      new Array(6).fill(3 * 2 ** 60),
    );
  });

  test("has a key that depends on shapes and numbers, not on tensors", () => {
    const chain = (size: number, factor: number) => functionOf(exp(multiply(leaf(size), factor))).made.key;
    expect(chain(12, 2)).toBe(chain(12, 2));
    expect(new Set([chain(12, 2), chain(12, 3), functionOf(tanh(multiply(leaf(12), 2))).made.key]).size).toBe(3);
    const biased = (shape: number[]) => functionOf(add(input("x", shape), input("b", [shape[1]!]))).made.key;
    expect(biased([6, 10])).toBe(biased([7, 10]));
    expect(biased([6, 10])).not.toBe(biased([6, 15]));
  });

  test("computes what is the same for all elements once, and equal parts of a chain once", async () => {
    let calls = 0;
    const cpu = (x?: number) => {
      calls++;
      return x!;
    };
    const counted = elementwise({ name: "counted", arity: 1, cpu, wgsl: "counted" });
    const x = leaf(40);
    const rate = stepScalar("rate", () => 3);
    const values = new Map([
      [x, new Float32Array(40).fill(2)],
      [rate, Float32Array.of(5)],
    ]);
    expect(await valuesOf(multiply(x, counted([rate])), values)).toEqual(new Array(40).fill(10));
    expect(calls).toBe(4);
    expect(await valuesOf(add(counted([x]), multiply(counted([x]), counted([x]))), values)).toEqual(
      new Array(40).fill(6),
    );
    expect(calls).toBe(4 + 40);
  });
});

describe("an op without a vector form", () => {
  const shifted = elementwise({
    name: "shifted",
    arity: 2,
    cpu: (a, b, by) => a! - 2 * b! + by!,
    wgsl: "shifted",
    source: "fn shifted(a: f32, b: f32, by: f32) -> f32 { return a - 2.0 * b + by; }",
  });
  const halved = elementwise({ name: "halved", arity: 1, cpu: (x) => x! / 2, wgsl: "halved", takes: "uint32" });
  const borrowed = elementwise({ name: "borrowed", arity: 1, cpu: () => NaN, wgsl: "relu" });

  test("is called for each element, and says so", async () => {
    const [a, b] = [input("a", [3, 3]), input("b", [3])];
    const output = relu(shifted([a, b], 10));
    const values = new Map([
      [a, Float32Array.of(1, 2, 3, 4, 5, 6, 7, 8, 90)],
      [b, Float32Array.of(1, 10, 100)],
    ]);
    expect(await valuesOf(output, values, { cuts: [4, 5] })).toEqual([9, 0, 0, 12, 0, 0, 15, 0, 0]);
    expect(functionOf(output).made.callsHost).toBe(true);
    expect(functionOf(relu(a)).made.callsHost).toBe(false);
  });

  test("takes integers without a sign", async () => {
    const x = input("x", [5], "uint32");
    const values = new Map([[x, Uint32Array.of(1, 2, 2 ** 31, 2 ** 32 - 256, 4)]]);
    expect(await valuesOf(halved([x]), values)).toEqual([0.5, 1, 2 ** 30, 2 ** 31 - 128, 2]);
  });

  test("has one where its WGSL is wgrad's own", async () => {
    const x = input("x", [3]);
    expect(await valuesOf(borrowed([x]), new Map([[x, Float32Array.of(-1, 0, 2)]]))).toEqual([0, 0, 2]);
  });

  test("keeps two functions of one name apart", () => {
    const x = input("x", [3]);
    const [one, other] = [2, 3].map((factor) =>
      elementwise({ name: "scaled", arity: 1, cpu: (y) => factor * y!, wgsl: "scaled" }),
    );
    expect(functionOf(one!([x])).made.key).not.toBe(functionOf(other!([x])).made.key);
    expect(functionOf(one!([x])).made.key).toBe(functionOf(one!([input("z", [3])])).made.key);
  });
});

test("constants of one element are part of the code", async () => {
  const x = input("x", [2]);
  const { made } = functionOf(add(multiply(x, 2), constant(7)));
  expect(made.tensors.map(rootOf)).toHaveLength(2);
  expect(bitsOf(await valuesOf(add(multiply(x, 2), constant(7)), new Map([[x, Float32Array.of(1, -0)]])))).toEqual(
    bitsOf([9, 7]),
  );
});
