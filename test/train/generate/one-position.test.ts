import { describe, expect, test } from "vitest";
import { createCpuBackend } from "../../../src/backends/cpu/index.ts";
import { defineGraph } from "../../../src/graph/graph.ts";
import { input, stepScalar } from "../../../src/graph/leaves.ts";
import type { Tensor } from "../../../src/graph/tensor.ts";
import { layers, models, sequential, type Layer } from "../../../src/nn/index.ts";
import { fusedAttention } from "../../../src/ops/attention/index.ts";
import { add } from "../../../src/ops/elementwise/index.ts";
import { flip, slice } from "../../../src/ops/indexing/index.ts";
import { reshape } from "../../../src/ops/layout/index.ts";
import { mean } from "../../../src/ops/reduce/index.ts";
import { onePosition } from "../../../src/train/generate/one-position.ts";

const CONTEXT = 7;
const WIDTH = 12;

const position = stepScalar("position", (step) => step, "uint32");
const tokens = input("tokens", [1, CONTEXT]);
const values = Float32Array.of(3, 1, 4, 1, 5, 0, 2);

const { embedding, transformerBlock } = layers;
const block = (options: Partial<Parameters<typeof transformerBlock>[0]>) =>
  transformerBlock({ heads: 2, hidden: 16, causal: true, ...options });
const chain = (...own: Layer[]) =>
  sequential([layers.tiedEmbedding(6, WIDTH, own)], { inputShape: [CONTEXT], seed: 5 });

/** Attention of embedded tokens to themselves, as it is computed for long contexts. */
function fused(indices: Tensor): Tensor {
  const embedded = sequential([embedding(6, 4)], { inputShape: [CONTEXT], seed: 5 }).apply(indices);
  return fusedAttention(embedded, embedded, embedded, { causal: true });
}

/** The values of a tensor [1, positions, 6] for all tokens. */
async function whole(output: Tensor): Promise<number[]> {
  const session = createCpuBackend({ precision: "float64" }).createSession();
  const executable = await session.compile(defineGraph({ output }));
  session.write(tokens, values);
  await executable.run(0, 1);
  return Array.from(await executable.read("output"));
}

/** The same values, computed one position after another. */
async function stepwise(output: Tensor): Promise<{ found: number[]; caches: number }> {
  const rewritten = onePosition({ tokens, position, output })!;
  const session = createCpuBackend({ precision: "float64" }).createSession();
  const executable = await session.compile(defineGraph({ output: rewritten.output }, rewritten.updates));
  const found: number[] = [];
  for (let step = 0; step < CONTEXT; step++) {
    // Tokens after the position are not known.
    session.write(
      tokens,
      values.map((token, place) => (place <= step ? token : 5)),
    );
    await executable.run(step, 1);
    found.push(...(await executable.read("output")));
  }
  return { found, caches: rewritten.caches.length };
}

describe("one position after another gives the values of all positions", () => {
  const gpt = { vocabulary: 6, context: CONTEXT, layers: 3, heads: 3, width: WIDTH, seed: 2 };
  test.each([
    ["a GPT", sequential([models.gptLayer(gpt)], { inputShape: [CONTEXT] }), 6],
    [
      "a GPT with dropout, which is not active",
      sequential([models.gptLayer({ ...gpt, dropout: 0.5 })], { inputShape: [CONTEXT] }),
      6,
    ],
    [
      "rotary positions, SwiGLU and rmsNorm",
      chain(block({ rotary: true, activation: "silu", gated: true, norm: "rms" })),
      2,
    ],
    [
      "attention without bias or residuals",
      chain(layers.multiHeadAttention({ heads: 4, causal: true, bias: false })),
      2,
    ],
    ["a model without attention", chain(layers.layerNorm(), layers.activation("gelu")), 0],
    ["attention in one kernel", { apply: fused }, 1],
  ])("%s", async (_, model, caches) => {
    const output = model.apply(tokens);
    const expected = await whole(output);
    const stepped = await stepwise(output);
    expect(stepped.caches).toBe(caches);
    expect(stepped.found).toHaveLength(expected.length);
    stepped.found.forEach((value, place) => expect(Math.abs(value - expected[place]!)).toBeLessThan(1e-12));
    // The values differ between positions.
    expect(new Set(expected.map((value) => value.toFixed(6))).size).toBeGreaterThan(CONTEXT);
  });
});

describe("there is no rule for", () => {
  const embedded = sequential([embedding(6, 4)], { inputShape: [CONTEXT] }).apply(tokens);

  test.each<[string, Tensor]>([
    ["a mean over positions", add(embedded, mean(embedded, { axes: 1, keepAxes: true }))],
    ["positions in the opposite order", flip(embedded, 1)],
    ["a part of the positions", slice(embedded, [undefined, { end: 3 }])],
    ["positions joined with their elements", reshape(embedded, [1, CONTEXT * 4])],
    ["a recurrent network", chain(layers.gru(WIDTH, { sequences: true })).apply(tokens)],
    ["values that do not depend on the tokens", input("other", [1, CONTEXT, 4])],
  ])("%s", (_, output) => {
    expect(onePosition({ tokens, position, output })).toBeUndefined();
  });
});
