/*
 * A small GPT, trained by each backend, and compared with the same network in PyTorch.
 */
import { describe, expect, test } from "vitest";
import type { Backend } from "../../src/backends/backend.ts";
import { defineGraph } from "../../src/graph/graph.ts";
import { input, stepScalar } from "../../src/graph/leaves.ts";
import { models, optimizers, schedules } from "../../src/nn/index.ts";
import { gradients } from "../../src/ops/gradients.ts";
import { softmaxCrossEntropy } from "../../src/ops/losses/index.ts";
import { Random } from "../../src/random.ts";
import { createTrainer, nextTokenLoss } from "../../src/train/index.ts";
import { backends } from "../backends.ts";
import pytorchLosses from "./gpt-pytorch/losses.json" with { type: "json" };
import * as recipe from "./gpt-pytorch/recipe.ts";

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

describe.each(backends)("nanoGPT's recipe on $name", ({ create }) => {
  test("has the losses of PyTorch for a hundred steps", async () => {
    const backend = await create();
    const trainer = await createTrainer({
      model: recipe.makeModel(),
      backend,
      dataset: recipe.batches(),
      loss: nextTokenLoss,
      batchSize: recipe.BATCH,
      clipNorm: 1,
      optimizer: optimizers.adamW({ beta2: 0.99, weightDecay: 0.1 }),
      learningRate: recipe.LEARNING_RATE,
      schedule: schedules.warmup(recipe.WARMUP, schedules.cosine({ final: 0.1 })),
      epochs: 1,
      maxSteps: recipe.STEPS,
    });
    const losses: number[] = [];
    for await (const { loss } of trainer.fit({ every: 1 })) losses.push(loss);
    backend.dispose();
    expect(losses).toHaveLength(recipe.STEPS);
    // Below the entropy of single tokens, 2.83, and above that of the texts, ln 3.
    expect(losses.at(-1)).toBeLessThan(1.6);
    // They differed by 3e-7 on lavapipe.
    losses.forEach((loss, step) => expect(Math.abs(loss / pytorchLosses[step]! - 1)).toBeLessThan(1e-5));
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
