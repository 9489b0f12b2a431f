import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Backend } from "../../src/backends/backend.ts";
import { createCpuBackend } from "../../src/backends/cpu/index.ts";
import { epochOrder } from "../../src/data/order.ts";
import { takeExamples } from "../../src/data/split.ts";
import { GraphError, OptionError } from "../../src/errors.ts";
import type { Augmentation } from "../../src/nn/index.ts";
import { add, multiply } from "../../src/ops/elementwise/index.ts";
import { oneHot, slice } from "../../src/ops/indexing/index.ts";
import { randomNormal, randomUniform } from "../../src/ops/random/index.ts";
import { mean } from "../../src/ops/reduce/index.ts";
import { augmentedExamples, createTrainer, type TrainerOptions } from "../../src/train/index.ts";
import { backends } from "../backends.ts";
import { clouds, finish, smallModel, valuesOf } from "./examples.ts";

/** Adds normal noise to the features. */
const noise = (deviation: number): Augmentation => ({
  name: "noise",
  apply: (batch, { keyAt }) => ({
    ...batch,
    features: add(batch["features"]!, multiply(randomNormal(batch["features"]!.shape, keyAt(0)), deviation)),
  }),
});

/** Turns labels into probabilities. */
const soften = (share: number): Augmentation => ({
  name: "soften",
  apply: (batch) => ({ ...batch, labels: add(multiply(oneHot(batch["labels"]!, 3), 1 - share), share / 3) }),
});

/** Makes the first random number of an augmentation with two keys a metric. */
const drawn: Augmentation = {
  name: "drawn",
  apply: (batch, { keyAt }) => ({
    ...batch,
    first: randomUniform([batch["features"]!.shape[0]!], keyAt(0)),
    second: randomUniform([batch["features"]!.shape[0]!], keyAt(1)),
  }),
};

const options = { learningRate: 0.05, batchSize: 10, epochs: 3, dataset: clouds(60) };

describe.each(backends)("augmentation on $name", ({ create }) => {
  let backend: Backend;
  beforeAll(async () => {
    backend = await create();
  });
  afterAll(() => backend.dispose());

  test("changes training in every step, not evaluation, and continues exactly from a snapshot", async () => {
    const start = (more: Partial<TrainerOptions>) =>
      createTrainer({ ...options, model: smallModel(), backend, ...more });
    const augment = [noise(0.5), soften(0.1)];
    const whole = await start({ augment });
    const events = await finish(whole, { every: 1 });
    const first = await start({ augment });
    const front = await finish(first, { every: 1, maxSteps: 7 });
    const second = await start({ augment, resumeFrom: await first.snapshot() });
    const back = await finish(second, { every: 1 });
    expect([...front, ...back].map(({ loss }) => loss)).toEqual(events.map(({ loss }) => loss));
    expect(valuesOf(await second.snapshot())).toEqual(valuesOf(await whole.snapshot()));
    expect(events.at(-1)!.accuracy).toBeGreaterThan(0.4);
    const plain = await start({});
    plain.restore(await whole.snapshot());
    expect(await whole.evaluate(options.dataset)).toEqual(await plain.evaluate(options.dataset));
    for (const trainer of [whole, first, second, plain]) trainer.dispose();
  });

  test("can be looked at: the examples are those of a training step", async () => {
    const { dataset } = options;
    const [augment, normalization] = [[noise(0.5), soften(0.1)], { scale: 2, offset: 1 }];
    const trainer = await createTrainer({
      ...options,
      model: smallModel(),
      backend,
      augment,
      normalization,
      seed: 5,
      metrics: { feature: (_outputs, { features }) => mean(features!, { axes: 1 }) },
    });
    const events = await finish(trainer, { every: 1, maxSteps: 4 });
    for (const step of [0, 3]) {
      const examples = epochOrder(dataset.count, 5, 0).slice(10 * step, 10 * step + 10);
      const shown = takeExamples(dataset, examples, "shown");
      const found = await augmentedExamples({ backend, dataset: shown, augment, normalization, seed: 5, step });
      expect(Object.keys(found)).toEqual(["features", "labels"]);
      const values = Array.from(found["features"]!);
      const sum = values.reduce((total, value) => total + value, 0);
      expect(sum / values.length).toBeCloseTo(events[step]!.metrics!["feature"]!, 5);
      const label = dataset.labels[examples[0]!]!;
      expect(Array.from(found["labels"]!.slice(0, 3), (share) => share > 0.9)).toEqual(
        [0, 1, 2].map((one) => one === label),
      );
    }
    await expect(augmentedExamples({ backend, dataset, augment, step: -1 })).rejects.toThrow(OptionError);
    trainer.dispose();
  });

  test("draws other numbers for each step, part, augmentation and index, and the same for the same seed", async () => {
    const run = async (seed: number, microBatchSize: number) => {
      const trainer = await createTrainer({
        ...options,
        model: smallModel(),
        backend,
        seed,
        microBatchSize,
        augment: [{ ...drawn, apply: (batch) => batch }, drawn],
        metrics: {
          first: (_outputs, batch) => batch["first"]!,
          second: (_outputs, batch) => mean(batch["second"]!),
          head: (_outputs, batch) => mean(slice(batch["first"]!, [{ start: 0, end: 5 }])),
        },
      });
      const events = await finish(trainer, { every: 1, maxSteps: 3 });
      trainer.dispose();
      return events.map(({ metrics }) => metrics!);
    };
    const found = await run(1, 10);
    const all = found.flatMap((metrics) => [metrics["first"]!, metrics["second"]!]);
    expect(new Set(all).size).toBe(6);
    for (const share of all) expect(Math.abs(share - 0.5)).toBeLessThan(0.4);
    expect(await run(1, 10)).toEqual(found);
    expect((await run(2, 10))[0]!["first"]).not.toBe(found[0]!["first"]);
    // With one key for both parts, their examples would have the same numbers: the mean would be that of the first five.
    const [divided] = await run(1, 5);
    const [whole] = found;
    expect(divided!["first"]).not.toBeCloseTo(whole!["head"]!, 5);
  });
});

test("an augmentation that does not return a batch is refused", async () => {
  const backend = createCpuBackend();
  const start = (augment: unknown) =>
    createTrainer({ ...options, model: smallModel(), backend, augment: augment as Augmentation[] });
  const returning = (result: unknown) => [{ name: "wrong", apply: () => result }];
  await expect(start(returning(undefined))).rejects.toThrow(/^augment wrong: its result is undefined/);
  await expect(start(returning({}))).rejects.toThrow(/^augment wrong: features became undefined for 10 examples/);
  const half: Augmentation = {
    name: "half",
    apply: (batch) => ({ ...batch, features: slice(batch["features"]!, [{ start: 0, end: 5 }]) }),
  };
  await expect(start([half])).rejects.toThrow(GraphError);
  for (const wrong of [noise(1), [3], [undefined], "noise"]) await expect(start(wrong)).rejects.toThrow(OptionError);
});
