import { describe, expect, test } from "vitest";
import { GraphError, OptionError } from "../../src/errors.ts";
import { constant, input } from "../../src/graph/leaves.ts";
import type { Shape, Tensor } from "../../src/graph/tensor.ts";
import {
  activation,
  dense,
  dropout,
  flatten,
  functionalModel,
  initializers,
  layers,
  modelFromConfig,
  sequential,
  toSequential,
  type BatchMoments,
  type Layer,
  type ModelFunction,
} from "../../src/nn/index.ts";
import { add, multiply, subtract, toFloat } from "../../src/ops/elementwise/index.ts";
import { concat } from "../../src/ops/indexing/index.ts";
import { randomNormal } from "../../src/ops/random/index.ts";
import { mean } from "../../src/ops/reduce/index.ts";
import { evaluate } from "./run.ts";

const nameOf = ({ attributes }: Tensor) => (attributes as { name: string }).name;
const initialOf = ({ attributes }: Tensor) => (attributes as { initial: Float32Array }).initial;
const filled = (value: number, ...shape: readonly number[]) =>
  constant(new Array<number>(shape.reduce((product, size) => product * size, 1)).fill(value), shape);
const x = constant([0.5, -1, 2, 0.25, 3, -2], [2, 3]);

/** A model with the input x, [3], and the given layers one after another. */
const chainOf = (chain: readonly Layer[], seed = 1, shape: Shape = [3]) =>
  functionalModel({ inputs: { x: shape }, seed }, ({ x: value }, { use }) => ({
    y: chain.reduce((result, layer) => use(layer, result), value),
  }));

describe("a functional model", () => {
  test("that chains layers is the sequential model, with the same parameters bit by bit", async () => {
    const chain = [
      dense(4, { activation: "relu" }),
      layers.residual([dense(4), dense(4, { activation: "tanh" })]),
      dense(2),
    ];
    const [own, same] = [chainOf(chain, 7), sequential(chain, { inputShape: [3], seed: 7 })];
    expect(own.parameters.map(nameOf)).toEqual(same.parameters.map(nameOf));
    expect(own.parameters.map(initialOf)).toEqual(same.parameters.map(initialOf));
    const { outputs } = await evaluate({ own: own.apply({ x }).y, same: same.apply(x) });
    expect(outputs["own"]).toEqual(outputs["same"]);
    expect(own.outputs).toEqual({ y: [2] });
  });

  test("has branches, a shared layer, several inputs of other types, and several outputs", async () => {
    const shared = dense(2, { activation: "tanh" });
    const model = functionalModel(
      { inputs: { left: [3], right: { shape: [3], dtype: "uint32" }, weight: [] }, name: "pair" },
      ({ left, right, weight }, { use }) => {
        const [a, b] = [use(shared, left, "tower"), use(shared, toFloat(right))];
        const joined = use(dense(3), concat([a, b], 1), "joined");
        return { distance: multiply(mean(subtract(a, b), { axes: 1 }), weight), joined };
      },
    );
    expect(model.parameters.map(nameOf)).toEqual([
      "pair.layers.tower.weight",
      "pair.layers.tower.bias",
      "pair.layers.joined.weight",
      "pair.layers.joined.bias",
    ]);
    expect(model.outputs).toEqual({ distance: [], joined: [3] });
    expect(model.config).toEqual({
      type: "functional",
      inputs: {
        left: { shape: [3], dtype: "float32" },
        right: { shape: [3], dtype: "uint32" },
        weight: { shape: [], dtype: "float32" },
      },
      seed: 1,
      layers: { tower: shared.config, joined: dense(3).config },
      name: "pair",
    });
    const right = constant([1, 0, 4, 2, 2, 3], [2, 3], "uint32");
    const found = model.apply({ left: x, right, weight: constant([1, -2]) });
    const { outputs } = await evaluate(found);
    const [weight] = model.parameters.map(initialOf);
    const tower = (row: readonly number[]) =>
      [0, 1].map((unit) => Math.tanh(row.reduce((sum, value, index) => sum + value * weight![index * 2 + unit]!, 0)));
    const difference = (a: number[], b: number[]) => (a[0]! + a[1]! - b[0]! - b[1]!) / 2;
    expect(outputs["distance"]![0]).toBeCloseTo(difference(tower([0.5, -1, 2]), tower([1, 0, 4])), 12);
    expect(outputs["distance"]![1]).toBeCloseTo(-2 * difference(tower([0.25, 3, -2]), tower([2, 2, 3])), 12);
  });

  test("takes indices of an embedding as uint32 or float32", async () => {
    const table = layers.embedding(4, 2);
    const inputs = { words: { shape: [3], dtype: "uint32" }, same: [3] } as const;
    const model = functionalModel({ inputs }, ({ words, same }, { use }) => ({
      byIndex: use(table, words),
      byNumber: use(table, same),
    }));
    const indices = [3, 0, 2];
    const { outputs } = await evaluate(
      model.apply({ words: constant(indices, [1, 3], "uint32"), same: constant(indices, [1, 3]) }),
    );
    const rows = initialOf(model.parameters[0]!);
    expect(outputs["byIndex"]).toEqual(indices.flatMap((row) => [rows[2 * row]!, rows[2 * row + 1]!]));
    expect(outputs["byNumber"]).toEqual(outputs["byIndex"]);
  });

  test("may make its layers inside the function: they are the same ones at each call", async () => {
    const compute: ModelFunction<"x", "y"> = ({ x: value }, { use }) => ({ y: use(dense(2), use(dense(4), value)) });
    const model = functionalModel({ inputs: { x: [3] } }, compute);
    expect(model.parameters.map(nameOf).length).toBe(4);
    const { outputs } = await evaluate({ first: model.apply({ x }).y, second: model.apply({ x }).y });
    expect(outputs["first"]).toEqual(outputs["second"]);
    expect(model.parameters.map(nameOf).length).toBe(4);
  });

  test("uses a layer without parameters on several shapes, also when it is made again from its config", async () => {
    const [rectifier, flat] = [activation("relu"), flatten()];
    const modelFunction: ModelFunction<"image", "y"> = ({ image }, { use }) => {
      const [wide, narrow] = [
        use(flat, use(rectifier, image)),
        use(flat, use(rectifier, use(layers.conv1d(1, 1), image))),
      ];
      return { y: concat([wide, narrow], 1) };
    };
    const model = functionalModel({ inputs: { image: [2, 3] } }, modelFunction);
    expect(model.parameters.map(nameOf)).toEqual(["layers.2.weight", "layers.2.bias"]);
    expect(Object.keys(model.config.layers)).toEqual(["0", "1", "2"]);
    const values = Object.fromEntries(model.parameters.map((one) => [nameOf(one), initialOf(one)]));
    const again = modelFromConfig(model.config, values, { modelFunction });
    const image = constant([1, -2, 3, -4, 5, -6], [1, 2, 3]);
    const { outputs } = await evaluate({ y: model.apply({ image }).y, again: again.apply({ image }).y });
    const [a, b, c] = initialOf(model.parameters[0]!) as unknown as [number, number, number];
    const sums = [a - 2 * b + 3 * c, -4 * a + 5 * b - 6 * c].map((sum) => Math.max(0, sum));
    expect(outputs["y"]!.slice(0, 6)).toEqual([1, 0, 3, 0, 5, 0]);
    outputs["y"]!.slice(6).forEach((value, index) => expect(value).toBeCloseTo(sums[index]!, 12));
    expect(outputs["again"]).toEqual(outputs["y"]);
    expect(() => toSequential(model)).toThrow("toSequential");
  });

  test("uses a layer with parameters and states on several shapes that its parameters fit", async () => {
    const [table, tower] = [layers.embedding(5, 2), layers.sequential([layers.conv1d(2, 3), layers.batchNorm()])];
    const inputs = { long: { shape: [6], dtype: "uint32" }, short: { shape: [4], dtype: "uint32" } } as const;
    const modelFunction: ModelFunction<"long" | "short"> = ({ long, short }, { use }) => ({
      long: use(tower, use(table, long, "table"), "tower"),
      short: use(tower, use(table, short)),
    });
    const model = functionalModel({ inputs }, modelFunction);
    expect(model.outputs).toEqual({ long: [4, 2], short: [2, 2] });
    const names = ["table.weight", "tower.0.weight", "tower.0.bias", "tower.1.weight", "tower.1.bias"];
    expect(model.parameters.map(nameOf)).toEqual(names.map((name) => `layers.${name}`));
    expect(model.states.length).toBe(2);
    // The windows of the short sequence are the first ones of the long sequence.
    const long = constant([4, 0, 3, 1, 2, 2], [1, 6], "uint32");
    const short = constant([4, 0, 3, 1], [1, 4], "uint32");
    const { outputs } = await evaluate(model.apply({ long, short }));
    expect(outputs["short"]!.every(Number.isFinite)).toBe(true);
    expect(outputs["short"]).toEqual(outputs["long"]!.slice(0, 4));
    const moments: BatchMoments[] = [];
    model.apply({ long, short }, { training: true, recordMoments: (one) => moments.push(one) });
    expect(moments.map(({ count }) => count)).toEqual([4, 2]);
    expect(moments[0]!.runningMean).toBe(moments[1]!.runningMean);
  });

  test("takes custom layers, whose states are named like their parameters", () => {
    const custom: Layer = {
      config: { type: "custom" },
      build({ path, inputShape, parameter, state }) {
        expect(path).toBe("own");
        const scale = parameter("scale", inputShape, initializers.constant(2), { fanIn: 1, fanOut: 1 });
        const count = state("count", [], 5);
        return { outputShape: inputShape, apply: (value) => add(multiply(value, scale), count) };
      },
    };
    const model = functionalModel({ inputs: { x: [3] } }, ({ x: value }, { use }) => ({
      y: use(custom, value, "own"),
    }));
    expect(model.parameters.map(nameOf)).toEqual(["layers.own.scale"]);
    expect(model.states.map(nameOf)).toEqual(["layers.own.count"]);
    expect(model.states.map(initialOf)).toEqual([Float32Array.of(5)]);
    const faulty: Layer = { config: { type: "faulty" }, build: () => ({ outputShape: [4], apply: (value) => value }) };
    expect(() => chainOf([faulty])).toThrow("layer 0, faulty: it returns");
  });

  test("lists the uses of its layers", () => {
    const shared = dense(3);
    const { applyEach } = chainOf([shared, dropout(0.5), shared]);
    const { uses, outputs } = applyEach({ x });
    expect(uses.map(({ name }) => name)).toEqual(["0", "1", "0"]);
    expect(uses[0]!.input).toBe(x);
    expect(uses[2]!.output).toBe(outputs["y"]);
  });

  test("passes on whether it trains, and the precision", () => {
    const seen: string[] = [];
    const model = functionalModel({ inputs: { x: [3] } }, ({ x: value }, { training, precision }) => {
      seen.push(`${training} ${precision}`);
      return { y: value };
    });
    model.apply({ x });
    model.apply({ x }, { training: true, precision: "float16" });
    expect(seen).toEqual(["false float32", "false float32", "false float32", "true float16"]);
  });
});

describe("random numbers", () => {
  test("of each use of a layer and of each key differ, and change with the step", async () => {
    const rows = filled(1, 4, 64);
    const noise = layers.sequential([layers.gaussianNoise(1)]);
    const model = functionalModel({ inputs: { x: [64] }, seed: 3 }, ({ x: value }, { use, randomKey }) => ({
      first: use(noise, value),
      second: use(noise, value),
      third: add(value, randomNormal(value.shape, randomKey())),
      fourth: add(value, randomNormal(value.shape, randomKey())),
    }));
    const at = async (step: number) =>
      Object.values((await evaluate(model.apply({ x: rows }, { training: true }), { first: step })).outputs);
    const found = [...(await at(0)), ...(await at(1))];
    expect(new Set(found.map((values) => values.join())).size).toBe(8);
    expect(await at(0)).toEqual(found.slice(0, 4));
  });

  test("of a layer are those of the sequential model", async () => {
    const [own, same] = [chainOf([dropout(0.5)], 5), sequential([dropout(0.5)], { inputShape: [3], seed: 5 })];
    const { outputs } = await evaluate({
      own: own.apply({ x }, { training: true }).y,
      same: same.apply(x, { training: true }),
    });
    expect(outputs["own"]).toEqual(outputs["same"]);
  });
});

describe("refuses", () => {
  const refused = (compute: ModelFunction<"x">) => () => functionalModel({ inputs: { x: [3] } }, compute);

  test("invalid options", () => {
    const compute: ModelFunction<"x"> = ({ x: value }) => ({ y: value });
    const invalid: unknown[] = [undefined, null, {}, { inputs: {} }, { inputs: [[3]] }, { inputs: { "a.b": [3] } }];
    for (const options of [...invalid, { inputs: { x: 3 } }, { inputs: { x: { shape: [3], dtype: "float64" } } }])
      expect(() => functionalModel(options as never, compute)).toThrow(OptionError);
    expect(() => functionalModel({ inputs: { x: [0] } }, compute)).toThrow("input x");
    expect(() => functionalModel({ inputs: { x: [3] }, seed: -1 }, compute)).toThrow("seed");
    expect(() => functionalModel({ inputs: { x: [3] }, name: "a.b" }, compute)).toThrow("name of a model");
    expect(() => functionalModel({ inputs: { x: [3] } }, undefined as never)).toThrow("is not a function");
  });

  test("a function that returns no outputs, or outputs without the batch", () => {
    expect(refused(() => ({}))).toThrow("model function: it returns {}");
    expect(refused(() => undefined as never)).toThrow(OptionError);
    expect(refused(() => ({ y: 3 }) as never)).toThrow("model output y");
    expect(refused(({ x: value }) => ({ "": value }))).toThrow("not a name of an output");
    expect(refused(({ x: value }) => ({ y: mean(value, { axes: 0, keepAxes: true }) }))).toThrow(
      "model output y: it is mean float32[1, 3] for a batch of 2, not float32[batch, …]",
    );
    expect(refused(() => ({ y: input("y", [1], "uint32") }))).toThrow(GraphError);
  });

  test("names of layers that are invalid or taken", () => {
    expect(refused(({ x: value }, { use }) => ({ y: use(dense(3), value, "a.b") }))).toThrow("not a name of a layer");
    expect(refused(({ x: value }, { use }) => ({ y: use(dense(3), use(dense(3), value, "a"), "a") }))).toThrow(
      'layer "a": two layers have this name',
    );
    expect(refused(({ x: value }, { use }) => ({ y: use("dense" as never, value) }))).toThrow("not a layer");
    expect(refused((_, { use }) => ({ y: use(dense(3), 1 as never) }))).toThrow(GraphError);
    expect(refused((_, { use }) => ({ y: use(dense(3), constant(1)) }))).toThrow("has no batch");
  });

  test("a shared layer on another shape", () => {
    const shared = dense(4);
    expect(refused(({ x: value }, { use }) => ({ y: use(shared, use(shared, value)) }))).toThrow(
      "layer 0, dense: add float32[1, 4] needs weight [4, 4], but the first use, with [batch, 3], made [3, 4]",
    );
  });

  test("other layers at a later call", () => {
    let call = 0;
    const changing = (compute: (call: number, ...given: Parameters<ModelFunction<"x">>) => Tensor) => {
      call = 0;
      return refused((...given) => ({ y: compute(call++, ...given) }));
    };
    expect(changing((now, { x: value }, { use }) => use(dense(now + 1), value))).toThrow(
      'model function, layer 0: dense "0" has other options than when the model was made',
    );
    expect(changing((now, { x: value }, { use }) => use(now ? dropout(0.5) : dense(3), value))).toThrow(
      'it is dropout "0", but it was dense "0" when the model was made',
    );
    expect(changing((now, { x: value }, { use }) => use(dense(3), value, now ? "a" : "b"))).toThrow('dense "a"');
    expect(changing((now, { x: value }, { use }) => (now ? value : use(dense(3), value)))).toThrow(
      "it uses 0 layers, but used 1 when the model was made",
    );
    expect(changing((now, { x: value }, { use }) => (now ? use(dense(3), value) : value))).toThrow(
      "it uses more than the 0 layers",
    );
  });

  test("other outputs in training", () => {
    const model = functionalModel({ inputs: { x: [3] } }, ({ x: value }, { training }) =>
      training ? { y: value, more: value } : ({ y: value } as never),
    );
    expect(() => model.apply({ x }, { training: true })).toThrow(
      "it returns more [batch, 3], y [batch, 3], but returned y [batch, 3] when the model was made",
    );
  });

  test("inputs that are missing, unknown, or of another shape, type or batch", () => {
    const model = functionalModel({ inputs: { x: [3], z: [] } }, ({ x: value }) => ({ y: value }));
    const z = constant([1, 2]);
    expect(() => model.apply({ x } as never)).toThrow("model inputs: z is missing. Give x, z");
    expect(() => model.apply({ x, z, w: z } as never)).toThrow('there is no input "w"');
    expect(() => model.apply({ x, z: x })).toThrow("model input z: expected float32[batch] but got constant");
    expect(() => model.apply({ x: constant([1, 2, 3], [1, 3]), z })).toThrow("2 examples");
    expect(() => model.apply({ x: constant([1, 2, 3], [1, 3], "uint32"), z })).toThrow(GraphError);
    expect(() => model.apply(x as never)).toThrow(GraphError);
  });
});
