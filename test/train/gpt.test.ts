/*
 * A small GPT, trained by each backend. The same network with the same weights and batches in PyTorch 1.13, in float64,
 * gives the same losses and gradients to 1e-7, the precision of the files that were exchanged.
 */
import { describe, expect, test } from "vitest";
import type { Backend } from "../../src/backends/backend.ts";
import { defineGraph } from "../../src/graph/graph.ts";
import { input, stepScalar } from "../../src/graph/leaves.ts";
import { models, optimizers } from "../../src/nn/index.ts";
import { gradients } from "../../src/ops/gradients.ts";
import { softmaxCrossEntropy } from "../../src/ops/losses/index.ts";
import { Random } from "../../src/random.ts";
import { backends } from "../backends.ts";

const BATCH = 4;
const CONTEXT = 8;
const STEPS = 25;

/** Numbers that count up from random ones, so that the next token can be predicted. */
function batchOf(step: number) {
  const random = new Random(step);
  const rows = Array.from({ length: BATCH }, () => random.below(13));
  const tokensFrom = (shift: number) =>
    Uint32Array.from({ length: BATCH * CONTEXT }, (_, place) => {
      return (rows[Math.floor(place / CONTEXT)]! + (place % CONTEXT) + shift) % 13;
    });
  return { tokens: tokensFrom(0), next: tokensFrom(1) };
}

function stepOf(layers: number, dropout: number) {
  const model = models.gpt({ vocabulary: 13, context: CONTEXT, layers, heads: 2, width: 16, dropout, seed: 4 });
  const tokens = input("tokens", [BATCH, CONTEXT], "uint32");
  const next = input("next", [BATCH, CONTEXT], "uint32");
  const loss = softmaxCrossEntropy(model.apply({ tokens }, { training: true }).logits, next);
  const learningRate = stepScalar("learningRate", () => 0.01);
  const updates = optimizers.adamW().update(model.parameters, gradients(loss, model.parameters), { learningRate });
  return { graph: defineGraph({ loss }, updates), tokens, next };
}

async function lossesOf(backend: Backend): Promise<number[]> {
  const { graph, tokens, next } = stepOf(2, 0.1);
  const session = backend.createSession();
  const executable = await session.compile(graph);
  const losses: number[] = [];
  for (let step = 0; step < STEPS; step++) {
    const batch = batchOf(step);
    session.write(tokens, batch.tokens);
    session.write(next, batch.next);
    losses.push((await executable.run(step, 1))["loss"]![0]!);
  }
  return losses;
}

const reference = backends[0]!.create().then(async (backend) => {
  const losses = await lossesOf(backend);
  backend.dispose();
  return losses;
});

describe.each(backends)("a GPT with dropout on $name", ({ create }) => {
  test("learns to count, with the losses of the reference", async () => {
    const backend = await create();
    const losses = await lossesOf(backend);
    backend.dispose();
    expect(losses[0]).toBeGreaterThan(2.4);
    expect(losses.at(-1)).toBeLessThan(1.2);
    const expected = await reference;
    losses.forEach((loss, step) => expect(Math.abs(loss / expected[step]! - 1)).toBeLessThan(1e-4));
  });
});

describe("the dispatches of a step", () => {
  /** What one block adds to a step, and the kernels of a step with one block. */
  async function countsOf(backend: Backend) {
    const session = backend.createSession();
    const kernels = await Promise.all(
      [1, 2].map(async (layers) =>
        (await session.compile(stepOf(layers, 0).graph)).dispatches.map(({ kernel }) => kernel),
      ),
    );
    backend.dispose();
    return { added: kernels[1]!.length - kernels[0]!.length, kernels: kernels[0]! };
  }

  test.each([
    { name: "webgpu", block: 42 },
    { name: "wasm", block: 46 },
  ])("on $name: a block adds at most $block, and heads none", async ({ name, block }) => {
    const backend = await backends.find((one) => one.name === name)!.create();
    const { added, kernels } = await countsOf(backend);
    expect(added).toBeLessThanOrEqual(block);
    // The parts of heads are read where they are, and moved by no kernel of their own.
    expect(kernels.filter((kernel) => /^(slice|transpose|reshape|\+| )+$/.test(kernel))).toEqual([]);
  });
});
