/*
 * Two copies of the package in one process, as in a CommonJS project that imports wgrad in one place and requires it in
 * another. Mixing their objects must give an error that names both copies, and never a number.
 */
import { cpSync, mkdtempSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";
import type * as Library from "../../src/index.ts";
import { builtLibrary } from "../builds.ts";

type Copy = typeof Library;

let folders: readonly string[];
let one: Copy;
let other: Copy;

beforeAll(async () => {
  const copy = realpathSync(mkdtempSync(join(tmpdir(), "wgrad-copy-")));
  folders = [realpathSync(await builtLibrary()), copy];
  cpSync(folders[0]!, copy, { recursive: true });
  const load = (from: string) => import(/* @vite-ignore */ pathToFileURL(join(from, "index.js")).href) as Promise<Copy>;
  [one, other] = [await load(folders[0]!), await load(folders[1]!)];
});

afterAll(() => rmSync(folders[1]!, { recursive: true }));

function modelOf({ sequential, dense }: Copy) {
  return sequential([dense(4, { activation: "relu" }), dense(2)], { inputShape: [3] });
}

function trainingOf({ makeClassificationDataset }: Copy) {
  const features = Float32Array.from({ length: 60 }, (_, index) => Math.sin(index));
  const labels = Uint32Array.from({ length: 20 }, (_, index) => index % 2);
  const dataset = makeClassificationDataset({ name: "waves", features, labels, shape: [3], classes: ["a", "b"] });
  return { dataset, learningRate: 0.01, batchSize: 5, epochs: 1 };
}

async function messageOf(act: () => unknown): Promise<string> {
  try {
    await act();
  } catch (error) {
    return (error as Error).message;
  }
  return "";
}

const mixtures: readonly [string, () => unknown][] = [
  [
    "a model of one and a backend of the other",
    () => one.createTrainer({ model: modelOf(one), backend: other.createCpuBackend(), ...trainingOf(one) }),
  ],
  [
    "a model of the other copy",
    () => one.createTrainer({ model: modelOf(other), backend: one.createCpuBackend(), ...trainingOf(one) }),
  ],
  [
    "an optimizer of the other",
    () =>
      one.createTrainer({
        model: modelOf(one),
        backend: one.createCpuBackend(),
        optimizer: other.optimizers.adam(),
        ...trainingOf(one),
      }),
  ],
  [
    "a layer of the other",
    () => one.sequential([other.dense(2)], { inputShape: [3] }).apply(one.parameter("x", [1, 3])),
  ],
  ["an activation of the other", () => one.relu(other.parameter("x", [3]))],
  ["an output of the other", () => one.defineGraph({ x: other.parameter("x", [3]) })],
  ["gradients of the other", () => other.gradients(one.sum(one.parameter("x", [3])), [])],
  [
    "a graph of the other",
    () =>
      one
        .createCpuBackend()
        .createSession()
        .compile(other.defineGraph({ x: other.parameter("x", [3]) })),
  ],
  [
    "a leaf of the other",
    async () => {
      const session = one.createCpuBackend().createSession();
      const x = one.parameter("x", [3]);
      await session.compile(one.defineGraph({ y: one.relu(x) }));
      session.write(other.parameter("x", [3]), new Float32Array(3));
    },
  ],
  [
    "an evaluator's session of the other",
    () =>
      one
        .createEvaluator({
          model: modelOf(one),
          backend: one.createCpuBackend(),
          session: other.createCpuBackend().createSession(),
        })
        .predict(new Float32Array(3)),
  ],
];

test.each(mixtures)("%s is refused with the versions and paths of both copies", async (_name, act) => {
  const message = await messageOf(act);
  expect(message).toMatch(
    /was made by another copy of wgrad, wgrad 0\.\d+\.\d+ at file:.*; this is wgrad 0\.\d+\.\d+ at file:/,
  );
  for (const folder of folders) expect(message).toContain(`${pathToFileURL(folder).href}/`);
  expect(message).toContain("Load one version of wgrad, by import only or by require only.");
});

test("each copy works by itself", async () => {
  const train = async (copy: Copy) => {
    const trainer = await copy.createTrainer({
      model: modelOf(copy),
      backend: copy.createCpuBackend(),
      ...trainingOf(copy),
    });
    const losses: number[] = [];
    for await (const { loss } of trainer.fit({ every: 1 })) losses.push(loss);
    return losses;
  };
  const losses = await train(one);
  expect(losses).toHaveLength(4);
  expect(await train(other)).toEqual(losses);
});
