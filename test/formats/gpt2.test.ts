/*
 * GPT-2's names. gpt2/logits.json has what PyTorch 1.13 computed with the code of `gpt2Code`; gpt2/record.ts writes it.
 */
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { createCpuBackend } from "../../src/backends/cpu/index.ts";
import { DataError, OptionError } from "../../src/errors.ts";
import { gpt2Code, loadGpt2, saveGpt2 } from "../../src/formats/gpt2.ts";
import { initialValues } from "../../src/formats/model.ts";
import { readSafetensors, writeSafetensors, type NamedTensor } from "../../src/formats/safetensors.ts";
import { dense, layers, models, sequential, toSequential, type Model } from "../../src/nn/index.ts";
import { createEvaluator } from "../../src/train/index.ts";
import { makeModels, TOKENS } from "./gpt2/recipe.ts";

const { gpt, other } = makeModels();
const recorded = JSON.parse(readFileSync("test/formats/gpt2/logits.json", "utf8")) as Record<
  "gpt" | "other",
  { code: string[]; logits: number[] }
>;

async function logitsOf(model: Model): Promise<Float64Array> {
  const backend = createCpuBackend({ precision: "float64" });
  const normalization = { scale: 1, offset: 0 };
  const evaluator = createEvaluator({ model, normalization, backend, session: backend.createSession() });
  return Float64Array.from(await evaluator.predict(Float32Array.from(TOKENS.flat())));
}

function differenceFrom(expected: readonly number[], actual: Float64Array): number {
  expect(actual).toHaveLength(expected.length);
  return Math.max(...expected.map((value, index) => Math.abs(value - actual[index]!)));
}

describe("a GPT with the names of GPT-2", () => {
  test.each(["gpt", "other"] as const)("%s gives PyTorch's logits, as does the network read back", async (name) => {
    const { code, logits } = recorded[name];
    const model = { gpt, other }[name];
    expect(gpt2Code(model, name).split("\n")).toEqual(code);
    // PyTorch computed in float64, as here; predictions are rounded to float32.
    const bound = 2 ** -22 * Math.max(...logits.map(Math.abs));
    expect(differenceFrom(logits, await logitsOf(model))).toBeLessThan(bound);
    const back = loadGpt2(saveGpt2(model), name, { context: 6 });
    expect(back.outputShape).toEqual([6, 11]);
    expect(differenceFrom(logits, await logitsOf(back))).toBeLessThan(bound);
  });

  test("has GPT2LMHeadModel's names and shapes, and the fields of GPT2Config", () => {
    const { tensors, metadata } = readSafetensors(saveGpt2(other), "f");
    expect([...tensors].map(([name, { shape }]) => `${name} ${shape.join("x")}`)).toEqual([
      "transformer.wte.weight 11x8",
      "transformer.wpe.weight 9x8",
      "transformer.h.0.ln_1.weight 8",
      "transformer.h.0.ln_1.bias 8",
      "transformer.h.0.attn.c_attn.weight 8x24",
      "transformer.h.0.attn.c_attn.bias 24",
      "transformer.h.0.attn.c_proj.weight 8x8",
      "transformer.h.0.attn.c_proj.bias 8",
      "transformer.h.0.ln_2.weight 8",
      "transformer.h.0.ln_2.bias 8",
      "transformer.h.0.mlp.c_fc.weight 8x20",
      "transformer.h.0.mlp.c_fc.bias 20",
      "transformer.h.0.mlp.c_proj.weight 20x8",
      "transformer.h.0.mlp.c_proj.bias 8",
      "transformer.ln_f.weight 8",
      "transformer.ln_f.bias 8",
    ]);
    expect(metadata["format"]).toBe("pt");
    expect(JSON.parse(metadata["config"]!)).toEqual({
      model_type: "gpt2",
      vocab_size: 11,
      n_positions: 9,
      n_embd: 8,
      n_layer: 1,
      n_head: 4,
      n_inner: 20,
      activation_function: "gelu_new",
    });
  });

  test("takes given values, and a functional model through toSequential", () => {
    const model = toSequential(models.gpt({ vocabulary: 5, context: 3, layers: 1, heads: 1, width: 4 }));
    const values = initialValues(model);
    const table = { shape: [5, 4], values: new Float32Array(20).fill(2) };
    const { tensors } = readSafetensors(saveGpt2(model, { ...values, "layers.0.weight": table }), "f");
    expect(tensors.get("transformer.wte.weight")).toEqual(table);
    expect(() => saveGpt2(model, { ...values, extra: table })).toThrow(/extra.*: the model has no parameter/);
  });

  const tied = (...inner: Parameters<typeof layers.tiedEmbedding>[2]) =>
    sequential([layers.tiedEmbedding(5, 4, inner)], { inputShape: [3] });
  const block = (options: object) => layers.transformerBlock({ heads: 1, hidden: 8, causal: true, ...options });
  const positions = layers.positionEmbedding(3);
  const norm = layers.layerNorm();

  test.each<[string, Model, RegExp]>([
    ["dense layers", sequential([dense(3)], { inputShape: [3] }), /dense is not the network of GPT-2/],
    [
      "a bias of the outputs",
      sequential([layers.tiedEmbedding(5, 4, [positions, norm], { bias: true })], { inputShape: [3] }),
      /tiedEmbedding has a bias, which the output matrix of GPT-2 does not have/,
    ],
    ["no positions", tied(block({}), norm), /its layers are transformerBlock, layerNorm, not positionEmbedding/],
    ["rotary", tied(positions, block({ rotary: true }), norm), /transformerBlock has rotary true, but false in GPT-2/],
    ["no causality", tied(positions, block({ causal: false }), norm), /has causal false, but true/],
    ["SwiGLU", tied(positions, block({ gated: true }), norm), /has gated true, but false/],
    [
      "another epsilon",
      tied(positions, block({}), layers.layerNorm({ epsilon: 1e-6 })),
      /epsilon 0.000001, but 0.00001/,
    ],
    ["different blocks", tied(positions, block({}), block({ hidden: 9 }), norm), /has 2 kinds of blocks/],
    ["an activation", tied(positions, block({ activation: "elu" }), norm), /its activation is "elu"/],
  ])("refuses a network with %s", (_, model, message) => {
    expect(() => saveGpt2(model)).toThrow(OptionError);
    expect(() => saveGpt2(model)).toThrow(message);
    expect(() => gpt2Code(model, "f")).toThrow(message);
  });
});

describe("a file of GPT-2", () => {
  /** A file without wgrad's metadata, and with the given changes of its tensors. */
  function foreign(change: (tensors: Map<string, NamedTensor>) => void): Uint8Array {
    const { tensors } = readSafetensors(saveGpt2(gpt), "f");
    const named = new Map([...tensors].map(([name, tensor]) => [name, { name, ...tensor }]));
    change(named);
    return writeSafetensors([...named.values()], { format: "pt" });
  }

  test("may lack the prefix, and have masks and the output matrix", async () => {
    const bytes = foreign((tensors) => {
      const all = [...tensors.values()];
      tensors.clear();
      for (const { name, ...tensor } of all) {
        const own = name.slice("transformer.".length);
        tensors.set(own, { name: own, ...tensor });
      }
      const add = (name: string, shape: number[]) =>
        tensors.set(name, {
          name,
          shape,
          values: new Float32Array(shape.reduce((product, size) => product * size, 1)),
        });
      add("h.0.attn.bias", [1, 1, 6, 6]);
      add("h.0.attn.masked_bias", []);
      add("lm_head.weight", [11, 8]);
    });
    const model = loadGpt2(bytes, "f", { heads: 2, activation: "gelu" });
    const { logits } = recorded.gpt;
    expect(differenceFrom(logits, await logitsOf(model))).toBeLessThan(2 ** -22 * Math.max(...logits.map(Math.abs)));
  });

  test("has a head for 64 elements and the activation of GPT-2 by default", () => {
    const wide = sequential([models.gptLayer({ vocabulary: 3, context: 2, layers: 1, heads: 1, width: 128 })], {
      inputShape: [2],
    });
    const { tensors } = readSafetensors(saveGpt2(wide), "f");
    const bytes = writeSafetensors(
      [...tensors].map(([name, tensor]) => ({ name, ...tensor })),
      {},
    );
    const { config } = loadGpt2(bytes, "f");
    expect(config.layers[0]).toMatchObject({ layers: [{}, { heads: 2, activation: "geluTanh", hidden: 512 }, {}] });
  });

  test.each<[string, (tensors: Map<string, NamedTensor>) => void, RegExp]>([
    ["no table", (t) => t.delete("transformer.wte.weight"), /^f, tensor "wte\.weight": it is missing/],
    ["no bias", (t) => t.delete("transformer.h.1.attn.c_attn.bias"), /"h\.1\.attn\.c_attn\.bias": it is missing/],
    ["no first block", (t) => t.delete("transformer.h.0.mlp.c_fc.weight"), /"h\.0\.mlp\.c_fc\.weight": it is missing/],
    [
      "another shape",
      (t) => t.set("transformer.ln_f.bias", { name: "transformer.ln_f.bias", shape: [7], values: new Float32Array(7) }),
      /"ln_f\.bias": its shape is \[7\], but \[8\] follows from the other tensors/,
    ],
    [
      "a vector as table",
      (t) => t.set("transformer.wte.weight", { name: "wte.weight", shape: [8], values: new Float32Array(8) }),
      /"wte\.weight": its shape is \[8\], not a matrix/,
    ],
    [
      "an empty table",
      (t) => t.set("transformer.wpe.weight", { name: "wpe.weight", shape: [0, 8], values: new Float32Array(0) }),
      /"wpe\.weight": its shape is \[0, 8\]/,
    ],
    [
      "another tensor",
      (t) => t.set("h.7.x", { name: "h.0.x", shape: [1], values: new Float32Array(1) }),
      /"h\.0\.x": GPT-2 has no such tensor/,
    ],
  ])("with %s is refused", (_, change, message) => {
    expect(() => loadGpt2(foreign(change), "f", { heads: 2 })).toThrow(DataError);
    expect(() => loadGpt2(foreign(change), "f", { heads: 2 })).toThrow(message);
  });

  test("of another width than a multiple of 64 needs the number of heads", () => {
    expect(() =>
      loadGpt2(
        foreign(() => undefined),
        "f",
      ),
    ).toThrow(DataError);
    expect(() =>
      loadGpt2(
        foreign(() => undefined),
        "f",
      ),
    ).toThrow(/^f: 0\.125 heads do not divide a width of 8/);
  });

  test.each([
    [{ heads: 3 }, /heads: 3 heads do not divide a width of 8/],
    [{ heads: 2, context: 7 }, /context: 7 tokens, but the file has 6 positions/],
    [{ heads: 2, context: 0 }, /context/],
  ])("refuses the options %j", (options, message) => {
    const bytes = foreign(() => undefined);
    expect(() => loadGpt2(bytes, "f", options)).toThrow(OptionError);
    expect(() => loadGpt2(bytes, "f", options)).toThrow(message);
  });
});
