import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Backend, Executable } from "../../src/backends/backend.ts";
import { OptionError } from "../../src/errors.ts";
import { defineGraph } from "../../src/graph/graph.ts";
import { input } from "../../src/graph/leaves.ts";
import { dense, sequential, type Layer } from "../../src/nn/index.ts";
import { add, multiply } from "../../src/ops/elementwise/index.ts";
import { softmax } from "../../src/ops/softmax/index.ts";
import { Random } from "../../src/random.ts";
import { createEvaluator, createTrainer, type Evaluator } from "../../src/train/index.ts";
import { backends } from "../backends.ts";
import { changedBackend, clouds } from "./examples.ts";

/**
 * Long sums, a wide softmax and a function that is not rational: everything that might depend on how rows are grouped.
 */
const softmaxLayer: Layer = {
  config: { type: "softmax" },
  build: ({ inputShape }) => ({ outputShape: inputShape, apply: (x) => softmax(x) }),
};
const model = sequential([dense(35, { activation: "gelu" }), softmaxLayer, dense(5)], { inputShape: [301] });
const [width, outputs] = [301, 5];

function examples(count: number, seed = 3): Float32Array {
  const random = new Random(seed);
  return Float32Array.from({ length: count * width }, () => random.normal());
}

/** The executables that a backend compiles, and how often each ran. */
function watched(backend: Backend) {
  const compiled: Executable[] = [];
  let runs = 0;
  const watching: Backend = {
    ...changedBackend(backend, {}),
    createSession() {
      const session = changedBackend(backend, {
        aroundRun: (run) => {
          runs++;
          return run();
        },
      }).createSession();
      return {
        write: (...given) => session.write(...given),
        read: (leaf) => session.read(leaf),
        dispose: () => session.dispose(),
        async compile(graph) {
          const executable = await session.compile(graph);
          compiled.push(executable);
          return executable;
        },
      };
    },
  };
  return { backend: watching, compiled, runs: () => runs };
}

const work = ({ dispatches }: Executable) => dispatches.reduce((sum, { flops }) => sum + flops, 0);

describe.each(backends)("predict on $name", ({ create }) => {
  let backend: Backend;
  beforeAll(async () => {
    backend = await create();
  });
  afterAll(() => backend.dispose());

  const evaluatorOn = (on: Backend): Evaluator => createEvaluator({ model, backend: on, session: on.createSession() });

  test("gives the outputs of an example the same bits in every batch", async () => {
    const evaluator = evaluatorOn(changedBackend(backend, { maxTensorBytes: 4 * width * 100 }));
    const features = examples(203);
    const all = await evaluator.predict(features);
    for (const [from, count] of [
      [0, 1],
      [202, 1],
      [5, 3],
      [11, 8],
      [0, 9],
      [70, 64],
      [17, 100],
    ] as const) {
      const part = await evaluator.predict(features.slice(from * width, (from + count) * width));
      expect(part).toEqual(all.slice(from * outputs, (from + count) * outputs));
    }
  });

  test("runs a graph for one example if there is only one", async () => {
    const session = backend.createSession();
    const own = await session.compile(
      defineGraph({ outputs: model.apply(add(multiply(input("x", [1, width]), 2), 1)) }),
    );
    const { backend: watching, compiled } = watched(backend);
    await evaluatorOn(watching).predict(examples(1));
    expect(compiled).toHaveLength(1);
    expect(work(compiled[0]!)).toBeLessThan(2 * work(own));
    session.dispose();
  });

  test("compiles a few batch sizes for all counts", async () => {
    const { backend: watching, compiled } = watched(backend);
    const evaluator = evaluatorOn(watching);
    for (const count of [1, 2, 3, 5, 8, 9, 20, 63, 64, 1]) await evaluator.predict(examples(count));
    expect(compiled).toHaveLength(3);
  });

  test("runs requests of the same tick together, and later ones in the next run", async () => {
    const { backend: watching, runs } = watched(backend);
    const evaluator = evaluatorOn(watching);
    const features = examples(40);
    const one = (index: number) => features.slice(index * width, (index + 1) * width);
    const wanted = await evaluator.predict(features);
    const before = runs();
    const first = Array.from({ length: 20 }, (_, index) => evaluator.predict(one(index)));
    await Promise.resolve();
    await Promise.resolve();
    const later = Array.from({ length: 20 }, (_, index) => evaluator.predict(one(20 + index)));
    const found = await Promise.all([...first, ...later]);
    expect(found.flatMap((values) => [...values])).toEqual([...wanted]);
    expect(runs() - before).toBe(2);
  });

  test("finishes a small request before a large one that came earlier", async () => {
    const evaluator = evaluatorOn(changedBackend(backend, { maxTensorBytes: 4 * width * 10 }));
    const finished: string[] = [];
    const features = examples(95);
    const large = evaluator.predict(features).then((values) => (finished.push("large"), values));
    const small = evaluator.predict(features.slice(0, width)).then((values) => (finished.push("small"), values));
    const [ofLarge, ofSmall] = await Promise.all([large, small]);
    expect(finished).toEqual(["small", "large"]);
    expect(ofSmall).toEqual(ofLarge.slice(0, outputs));
    expect(ofLarge).toEqual(await evaluatorOn(backend).predict(features));
  });

  test("refuses an invalid request without affecting others", async () => {
    const evaluator = evaluatorOn(backend);
    const right = evaluator.predict(examples(1));
    const wrong = [new Float32Array(3), new Float32Array(0), null as never, [1, 2] as never];
    for (const features of wrong) await expect(evaluator.predict(features)).rejects.toThrow(OptionError);
    expect(await right).toHaveLength(outputs);
  });

  test("returns a single output for a single example", async () => {
    const single = sequential([dense(1)], { inputShape: [2], seed: 4 });
    const evaluator = createEvaluator({ model: single, backend, session: backend.createSession() });
    const both = await evaluator.predict(Float32Array.of(1, 2, 3, 4));
    expect(await evaluator.predict(Float32Array.of(3, 4))).toEqual(both.slice(1));
    expect(await evaluator.predict(Float32Array.of(1, 2))).toEqual(both.slice(0, 1));
  });

  test("of a trainer uses the trained parameters", async () => {
    const dataset = clouds(30);
    const small = sequential([dense(3)], { inputShape: [4] });
    const trainer = await createTrainer({
      model: small,
      dataset,
      backend,
      learningRate: 0.1,
      batchSize: 10,
      epochs: 1,
    });
    const row = dataset.features.slice(0, 4);
    const before = await trainer.predict(row);
    for await (const { step } of trainer.fit({ every: 3 })) expect(step).toBe(3);
    const [after, all] = await Promise.all([trainer.predict(row), trainer.predict(dataset.features)]);
    expect(after).not.toEqual(before);
    expect(all.slice(0, 3)).toEqual(after);
    trainer.dispose();
  });
});
