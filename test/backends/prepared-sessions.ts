/*
 * A session with a small classifier, and a check that it still works.
 */
import { expect } from "vitest";
import type { Backend, Session } from "../../src/backends/backend.ts";
import { defineGraph } from "../../src/graph/graph.ts";
import { input, parameter, stepScalar } from "../../src/graph/leaves.ts";
import { add, multiply, subtract } from "../../src/ops/elementwise/index.ts";
import { takeBatch } from "../../src/ops/gather/index.ts";
import { gradients } from "../../src/ops/gradients.ts";
import { pack, reshape } from "../../src/ops/layout/index.ts";
import { softmaxCrossEntropy } from "../../src/ops/losses/index.ts";
import { matmul } from "../../src/ops/matmul/index.ts";
import { createTrainer } from "../../src/train/index.ts";
import { clouds, finish, smallModel } from "../train/examples.ts";

/** Six examples of three bytes in four classes, with batch size two. From step 3 on the batch exceeds the examples. */
export function classifier() {
  const images = input("images", [6, 3], "uint8");
  const labels = input("labels", [6], "uint32");
  const order = input("order", [6], "uint32");
  const weights = parameter(
    "weights",
    [3, 4],
    Float32Array.from({ length: 12 }, (_, index) => Math.sin(index)),
  );
  const bias = parameter("bias", [4], [0.5, 0, 0, -0.5]);
  const start = stepScalar("start", (step) => 2 * step, "uint32");
  const logits = add(matmul(takeBatch(images, { order, start, count: 2, scale: 1 / 256 }), weights), bias);
  const answers = takeBatch(labels, { order, start, count: 2 });
  const loss = softmaxCrossEntropy(logits, reshape(reshape(answers, [1, 2]), [2]));
  const parameters = [weights, bias];
  const flat = pack(parameters);
  const updates = [{ target: flat, value: subtract(flat, multiply(pack(gradients(loss, parameters)), 0.1)) }];
  return { images, labels, order, weights, bias, logits, graph: defineGraph({ loss, logits }, updates) };
}

type Classifier = ReturnType<typeof classifier>;

export const values = {
  images: Uint8Array.from({ length: 18 }, (_, index) => 14 * index),
  labels: Uint32Array.of(0, 3, 1, 2, 2, 0),
  order: Uint32Array.of(5, 0, 4, 1, 3, 2),
};

function writeAll(session: Session, { images, labels, order }: Classifier): void {
  session.write(images, values.images);
  session.write(labels, values.labels);
  session.write(order, values.order);
}

export async function prepared(backend: Backend) {
  const parts = classifier();
  const session = backend.createSession();
  const executable = await session.compile(parts.graph);
  writeAll(session, parts);
  await executable.run(0, 1);
  return { ...parts, backend, session, executable };
}

export type Prepared = Awaited<ReturnType<typeof prepared>>;

export async function errorOf(act: () => unknown): Promise<unknown> {
  try {
    await act();
  } catch (error) {
    return error;
  }
  return undefined;
}

/** Checks that a session works as if nothing had happened, together with a trainer of the same backend. */
export async function requireUnharmed({ backend, session, executable, weights, bias }: Prepared): Promise<void> {
  const other = await prepared(backend);
  const traces = await executable.run(1, 2);
  expect(traces).toEqual(await other.executable.run(1, 2));
  expect(await executable.read("logits")).toEqual(await other.executable.read("logits"));
  expect(await session.read(weights)).toEqual(await other.session.read(other.weights));
  expect(await session.read(bias)).toEqual(await other.session.read(other.bias));
  const trainer = await createTrainer({
    model: smallModel(),
    dataset: clouds(40),
    backend,
    learningRate: 0.01,
    batchSize: 10,
    epochs: 1,
  });
  expect(await finish(trainer, { every: 1 })).toHaveLength(4);
  trainer.dispose();
}
