/* Masks of valid positions in layers with attention, with fewer keys than fused attention takes, and with more. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Backend } from "../../src/backends/backend.ts";
import { GraphError, OptionError } from "../../src/errors.ts";
import { initialValues } from "../../src/formats/model.ts";
import { defineGraph } from "../../src/graph/graph.ts";
import { constant, input } from "../../src/graph/leaves.ts";
import type { Tensor } from "../../src/graph/tensor.ts";
import { functionalModel, initializers, layers, startFrom, toSequential, type Layer } from "../../src/nn/index.ts";
import { less, notEqual, square, toFloat } from "../../src/ops/elementwise/index.ts";
import { gradients } from "../../src/ops/gradients.ts";
import { slice } from "../../src/ops/indexing/index.ts";
import { axisIndex, reshape } from "../../src/ops/layout/index.ts";
import { mean, sum } from "../../src/ops/reduce/index.ts";
import { Random } from "../../src/random.ts";
import { backends } from "../backends.ts";
import { compareGradients, LARGEST_DIFFERENCE, numericGradients } from "../ops/gradient-check.ts";
import { evaluate } from "./run.ts";

const WIDTH = 4;

const nameOf = ({ attributes }: Tensor) => (attributes as { name: string }).name;

const block = (causal: boolean) =>
  layers.transformerBlock({ heads: 2, hidden: 5, causal, weights: initializers.normal(0.7) });

/** A model of one layer that gets a mask. Its parameters do not depend on the length. */
const masked = (layer: Layer, length: number) =>
  functionalModel({ inputs: { x: [length, WIDTH], mask: [length] }, seed: 3 }, ({ x, mask }, { use }) => ({
    y: use(layer, x, { name: "layer", mask }),
  }));

const unmasked = (layer: Layer, length: number) =>
  functionalModel({ inputs: { x: [length, WIDTH] }, seed: 3 }, ({ x }, { use }) => ({ y: use(layer, x, "layer") }));

function drawn(count: number, seed: number): Float32Array {
  const random = new Random(seed);
  return Float32Array.from({ length: count }, () => random.uniform(-2, 2));
}

/** Three examples: padding at the end, padding only, and padding at the beginning. */
function batchOf(length: number) {
  const values = [...drawn(3 * length * WIDTH, length)];
  const valid = (example: number, position: number) =>
    example === 0 ? position < length - 2 : example === 2 && position >= 1;
  const mask = Array.from({ length: 3 * length }, (_, index) =>
    // Any number other than 0 is valid.
    valid(Math.floor(index / length), index % length) ? 2 : 0,
  );
  const rows = (example: number, first: number, end: number) =>
    constant(values.slice((example * length + first) * WIDTH, (example * length + end) * WIDTH), [
      1,
      end - first,
      WIDTH,
    ]);
  return { values, x: constant(values, [3, length, WIDTH]), mask: constant(mask, [3, length]), rows };
}

const plain = { form: "plain", length: 5, causal: false };
const plainCausal = { form: "plain", length: 5, causal: true };
const fused = { form: "fused", length: 260, causal: false };
const fusedCausal = { form: "fused", length: 260, causal: true };

describe.each(backends)("on $name", ({ create }) => {
  let backend: Backend;
  beforeAll(async () => {
    backend = await create();
  });
  afterAll(() => backend.dispose());

  async function outputsOf(graph: Record<string, Tensor>): Promise<Record<string, readonly number[]>> {
    const session = backend.createSession();
    const executable = await session.compile(defineGraph(graph));
    await executable.run(0, 1);
    const read = async (name: string) => [name, [...(await executable.read(name))]] as const;
    const outputs = Object.fromEntries(await Promise.all(Object.keys(graph).map(read)));
    session.dispose();
    return outputs;
  }

  test.each([plain, plainCausal, fused, fusedCausal])(
    "a block with $form attention ignores padding, causal: $causal",
    async ({ length, causal }) => {
      const { x, mask, rows } = batchOf(length);
      const { y } = masked(block(causal), length).apply({ x, mask });
      const found = await outputsOf({
        end: slice(y, [{ end: 1 }, { end: length - 2 }]),
        start: slice(y, [{ start: 2 }, { start: 1 }]),
        all: y,
      });
      const expected = await evaluate({
        end: unmasked(block(causal), length - 2).apply({ x: rows(0, 0, length - 2) }).y,
        start: unmasked(block(causal), length - 1).apply({ x: rows(2, 1, length) }).y,
      });
      for (const part of ["end", "start"]) {
        const wanted = expected.outputs[part]!;
        // A block joins `length` terms in attention; its other sums are shorter.
        const bound = 16 * 2 ** -24 * Math.sqrt(length) * Math.max(...wanted.map(Math.abs));
        wanted.forEach((value, index) => expect(Math.abs(found[part]![index]! - value)).toBeLessThan(bound));
      }
      expect(found["all"]!.every(Number.isFinite)).toBe(true);
    },
  );

  // The kernels of the fused gradients take long to compile on a software adapter.
  test.each([plain, fusedCausal])(
    "$form attention of padding only is 0, causal: $causal",
    async ({ length, causal }) => {
      const { x, mask } = batchOf(length);
      const model = masked(layers.multiHeadAttention({ heads: 2, causal }), length);
      // The bias after the heads is 0 at first.
      const { y } = model.apply({ x, mask });
      const slopes = gradients(sum(square(y)), model.parameters);
      const named = Object.fromEntries(slopes.map((slope, index) => [`slope${index}`, slope]));
      const found = await outputsOf({ empty: slice(y, [{ start: 1, end: 2 }]), ...named });
      expect(found["empty"]).toEqual(new Array(length * WIDTH).fill(0));
      for (const name of Object.keys(named)) {
        expect(found[name]!.every(Number.isFinite)).toBe(true);
        expect(found[name]!.some((value) => value !== 0)).toBe(true);
      }
    },
  );
});

test.each([plain, plainCausal, fused, fusedCausal])(
  "gradients through $form attention, causal: $causal",
  async ({ form, length, causal }) => {
    const { values, mask } = batchOf(length);
    const x = input("x", [3, length, WIDTH]);
    const model = masked(block(causal), length);
    const loss = mean(square(model.apply({ x, mask }).y));
    const weight = model.parameters.find((leaf) => nameOf(leaf).endsWith("attention.bias"))!;
    // Each element of x needs four runs, too many for the fused form.
    const names = form === "plain" ? ["x", "weight"] : ["weight"];
    const leaves: Record<string, Tensor> = { x, weight };
    const valuesOf = {
      x: Float64Array.from(values),
      weight: Float64Array.from(drawn(weight.size, 9)),
    };
    const question = { loss, leaves, values: valuesOf, names };
    const slopes = gradients(
      loss,
      names.map((name) => leaves[name]!),
    );
    const found = Object.fromEntries(names.map((name, index) => [name, slopes[index]!]));
    const worst = await compareGradients(question, found, await numericGradients(question));
    expect(worst.difference, JSON.stringify(worst)).toBeLessThanOrEqual(LARGEST_DIFFERENCE);
  },
);

describe("a mask", () => {
  const tokens = input("tokens", [2, 6], "uint32");

  test("reaches the attention inside other layers, and can be made of the tokens", () => {
    const inner = [layers.positionEmbedding(6), layers.residual([block(true)]), layers.layerNorm()];
    const model = functionalModel({ inputs: { tokens: { shape: [6], dtype: "uint32" } } }, (given, { use }) => {
      const mask = notEqual(toFloat(given.tokens), 0);
      return { logits: use(layers.tiedEmbedding(9, WIDTH, inner), given.tokens, { mask }) };
    });
    expect(model.apply({ tokens }).logits.shape).toEqual([2, 6, 9]);
    expect(model.config.layers["0"]).toMatchObject({ type: "tiedEmbedding" });
    // The layers alone would not be the same function, so that an export would be wrong.
    for (const same of [model, startFrom(model, initialValues(model)).model]) {
      expect(() => toSequential(same)).toThrow(OptionError);
      expect(() => toSequential(same)).toThrow(/does more than chain layers: the layer 0 gets a mask/);
    }
  });

  test("can be made of lengths", async () => {
    const { x, rows } = batchOf(5);
    const model = functionalModel(
      { inputs: { x: [5, WIDTH], lengths: [] }, seed: 3 },
      ({ x: value, lengths }, { use }) => {
        const positions = toFloat(axisIndex([1, 5], 1));
        return { y: use(block(false), value, { name: "layer", mask: less(positions, reshape(lengths, [-1, 1])) }) };
      },
    );
    const { y } = model.apply({ x, lengths: constant([3, 0, 5]) });
    const { outputs } = await evaluate({
      found: slice(y, [{ end: 1 }, { end: 3 }]),
      wanted: unmasked(block(false), 3).apply({ x: rows(0, 0, 3) }).y,
    });
    outputs["wanted"]!.forEach((value, index) => expect(outputs["found"]![index]).toBeCloseTo(value, 12));
  });

  test("is refused by layers without attention, and in other shapes and types", () => {
    expect(() => masked(layers.gru(2), 3)).toThrow(/^layer layer, gru: it gets a mask, but has no attention/);
    expect(() => masked(layers.layerNorm(), 3)).toThrow(GraphError);
    const wrong = (shape: number[], dtype: "float32" | "uint32") =>
      functionalModel({ inputs: { x: [3, WIDTH], mask: { shape, dtype } } }, ({ x, mask }, { use }) => ({
        y: use(block(false), x, { mask }),
      }));
    for (const make of [() => wrong([4], "float32"), () => wrong([3, 3], "float32"), () => wrong([3], "uint32")]) {
      expect(make).toThrow(GraphError);
      expect(make).toThrow(/multiHeadAttention mask: .* is not float32\[1, 3\], a number for each position/);
    }
    expect(() =>
      functionalModel({ inputs: { x: [3, WIDTH] } }, ({ x }, { use }) => ({
        y: use(block(false), x, { mask: [1, 1, 0] as unknown as Tensor }),
      })),
    ).toThrow(/use mask/);
  });
});
