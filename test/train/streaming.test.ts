import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Backend } from "../../src/backends/backend.ts";
import { makeRegressionDataset, standardization, type Dataset } from "../../src/data/dataset.ts";
import { dense, sequential } from "../../src/nn/index.ts";
import { createTrainer, type TrainerOptions } from "../../src/train/index.ts";
import { backends } from "../backends.ts";
import { acquireBackend } from "../gpu.ts";
import { bytePictures, changedBackend, clouds, finish, smallModel, valuesOf } from "./examples.ts";

const pictures = bytePictures(64);
const points = clouds(64);
const { features, shape, count } = points;
const heights = makeRegressionDataset({
  name: "heights",
  features,
  shape,
  targets: Float32Array.from(
    { length: 3 * count },
    (_, index) => (index % 3) * features[4 * Math.floor(index / 3) + (index % 3)]!,
  ),
  outputs: ["a", "b", "c"],
});

describe.each(backends)("data sets larger than a binding on $name", ({ create }) => {
  let backend: Backend;
  beforeAll(async () => {
    backend = await create();
  });
  afterAll(() => backend.dispose());

  const cases: readonly {
    name: string;
    options: Partial<TrainerOptions> & { dataset: Dataset };
    maxTensorBytes: number;
    microBatchSize: number;
  }[] = [
    {
      name: "bytes, a few steps a window",
      options: { dataset: pictures, batchSize: 10 },
      maxTensorBytes: 700,
      microBatchSize: 10,
    },
    {
      name: "bytes, one step a window",
      options: { dataset: pictures, batchSize: 11 },
      maxTensorBytes: 680,
      microBatchSize: 11,
    },
    {
      name: "bytes, a part of a step a window",
      options: { dataset: pictures, batchSize: 20 },
      maxTensorBytes: 480,
      microBatchSize: 7,
    },
    {
      name: "bytes, the full batch in parts",
      options: { dataset: pictures, batchSize: "full" },
      maxTensorBytes: 480,
      microBatchSize: 8,
    },
    { name: "float32 features", options: { dataset: points, batchSize: 8 }, maxTensorBytes: 600, microBatchSize: 8 },
    { name: "quantities", options: { dataset: heights, batchSize: 8 }, maxTensorBytes: 600, microBatchSize: 8 },
  ];
  test.each(cases)(
    "$name: the same events and bits as resident ones",
    async ({ options, maxTensorBytes, microBatchSize }) => {
      const { dataset } = options;
      const run = async (on: Backend) => {
        const trainer = await createTrainer({
          model: smallModel(1, [dataset === pictures ? 15 : 4]),
          normalization: standardization(dataset.features),
          learningRate: 0.02,
          batchSize: 8,
          epochs: 6,
          ...options,
          dataset,
          backend: on,
          microBatchSize,
        });
        expect(trainer.microBatchSize).toBe(microBatchSize);
        const events = (await finish(trainer, { every: 1 })).map(({ step, loss, accuracy }) => ({
          step,
          loss,
          accuracy,
        }));
        const values = valuesOf(await trainer.snapshot());
        trainer.dispose();
        return { events, values };
      };
      const streamed = await run(changedBackend(backend, { maxTensorBytes }));
      expect(streamed).toEqual(await run(backend));
      const meanLoss = (events: typeof streamed.events) =>
        events.reduce((total, { loss }) => total + loss, 0) / events.length;
      expect(meanLoss(streamed.events.slice(-3))).toBeLessThan(meanLoss(streamed.events.slice(0, 3)));
    },
  );
});

test("a device with a small binding limit trains on a data set that does not fit", async () => {
  const dataset = bytePictures(2000);
  const small = await acquireBackend({ limits: { maxStorageBufferBindingSize: 16_384 } });
  const model = sequential([dense(6, { activation: "tanh" }), dense(3)], { inputShape: [15] });
  const trainer = await createTrainer({
    model,
    dataset,
    backend: small,
    normalization: standardization(dataset.features),
    learningRate: 0.02,
    batchSize: 50,
    epochs: 4,
  });
  await finish(trainer);
  expect((await trainer.evaluate(dataset)).accuracy).toBeGreaterThan(0.97);
  small.dispose();
});
