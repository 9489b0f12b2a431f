import { expect, test } from "vitest";
import { createCpuBackend } from "../../../../src/backends/cpu/index.ts";
import { firstExamples } from "../../../../src/data/split.ts";
import { builtInDigits } from "../../../../src/index.ts";
import { Inference } from "../../../../src/web/digits/service/inference.ts";
import { Run } from "../../../../src/web/digits/service/run.ts";
import { defaultSettings } from "../../../../src/web/digits/settings.ts";

test("the outputs for many images are those for each image, and order the images that excite a unit", async () => {
  const data = { name: "digits", ...builtInDigits({ train: 64, test: 12 }), mnistMissing: false };
  const layers = [
    { units: 6, activation: "tanh", dropout: 0.5 } as const,
    { units: 4, activation: "relu", dropout: 0 } as const,
  ];
  const settings = { ...defaultSettings, layers, batchSize: 16 };
  const run = await Run.create({ backend: createCpuBackend(), settings, data, loaded: undefined });
  const some = firstExamples(data.test, 5);
  const [hidden, last] = [await new Inference(run).outputsOf(0, some), await new Inference(run).outputsOf(2, some)];
  expect([hidden.length, last.length]).toEqual([5 * 6, 5 * 10]);
  for (const index of [0, 3]) {
    const alone = await run.predict((some.features as Uint8Array).slice(784 * index, 784 * (index + 1)));
    // The same sums in the same order.
    expect([...alone.hidden[0]!]).toEqual([...hidden.subarray(6 * index, 6 * (index + 1))]);
  }

  const all = await new Inference(run).outputsOf(0, data.test);
  const best = Array.from({ length: 12 }, (_, index) => index).sort((a, b) => all[6 * b + 2]! - all[6 * a + 2]!)[0]!;
  const found = await run.exciting(0, 2);
  expect(found.count).toBe(10);
  expect([...found.pictures.subarray(0, 784)]).toEqual([...data.test.features.subarray(784 * best, 784 * (best + 1))]);

  const weights = (await run.weights(false))!;
  expect(weights.layers.map(({ count, units, weights: values }) => [count, units.length, values.length])).toEqual([
    [6, 6, 0],
    [4, 4, 24],
    [10, 10, 40],
  ]);
  expect([...weights.layers[1]!.weights]).toEqual([...(await run.trainer.session.read(run.model.parameters[2]!))]);
  await run.dispose();
});
