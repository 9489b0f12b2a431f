import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Backend } from "../../src/backends/backend.ts";
import { createCpuBackend } from "../../src/backends/cpu/index.ts";
import { DeviceError } from "../../src/errors.ts";
import { dense, dropout, sequential } from "../../src/nn/index.ts";
import { createTrainer, type TrainerOptions } from "../../src/train/index.ts";
import { backends } from "../backends.ts";
import { acquireBackend, withFloat16 } from "../gpu.ts";
import { clouds, finish, smallModel } from "./examples.ts";

function optionsOf(backend: Backend, changes: Partial<TrainerOptions> = {}): TrainerOptions {
  return {
    model: smallModel(),
    dataset: clouds(60),
    backend,
    learningRate: 0.02,
    batchSize: 10,
    epochs: 4,
    precision: "float16",
    ...changes,
  };
}

/** The parameters and the optimizer's state after a whole run, and the loss of each step. */
async function trained(backend: Backend, changes: Partial<TrainerOptions> = {}) {
  const trainer = await createTrainer(optionsOf(backend, changes));
  const losses = (await finish(trainer, { every: 1 })).map(({ loss }) => loss);
  const snapshot = await trainer.snapshot();
  trainer.dispose();
  return { ...snapshot, losses };
}

type Trained = Awaited<ReturnType<typeof trained>>;

const largestApart = (a: readonly number[], b: readonly number[]) =>
  Math.max(...a.map((value, at) => Math.abs(value / b[at]! - 1)));

const weightsOf = ({ parameters }: Trained) => [...parameters["layers.0.weight"]!.values];

describe.each(backends)("training with float16 products on $name", ({ create }) => {
  let backend: Backend;
  beforeAll(async () => {
    backend = await create();
  });
  afterAll(() => backend.dispose());
  const inFloat16 = (body: () => Promise<void>) => () => withFloat16(backend, body);

  test(
    "learns as float32 does, with different numbers",
    inFloat16(async () => {
      const [half, single] = [await trained(backend), await trained(backend, { precision: "float32" })];
      expect(half.losses).not.toEqual(single.losses);
      expect(half.losses.at(-1)!).toBeLessThan(half.losses[0]! / 2);
      // Operands are rounded by up to 2⁻¹¹; after 24 steps the loss differed by 4.3e-4.
      expect(largestApart(half.losses, single.losses)).toBeLessThan(2e-3);
    }),
  );

  test(
    "gives the same bits for the same seed, also with micro-batches",
    inFloat16(async () => {
      const layers = [dense(6, { activation: "relu" }), dropout(0.2), dense(3)];
      const model = () => sequential(layers, { inputShape: [4], seed: 3 });
      const first = await trained(backend, { model: model() });
      expect(await trained(backend, { model: model() })).toEqual(first);
      const parts = await trained(backend, { model: model(), microBatchSize: 5 });
      expect(await trained(backend, { model: model(), microBatchSize: 5 })).toEqual(parts);
    }),
  );

  test(
    "gives the same gradient with micro-batches and clipping",
    inFloat16(async () => {
      // Only the order of summation differs; 1.4e-7 was measured.
      for (const changes of [{ microBatchSize: 4 }, { clipNorm: 1e6 }]) {
        expect(largestApart((await trained(backend, changes)).losses, (await trained(backend)).losses)).toBeLessThan(
          1e-5,
        );
      }
      const clipped = [
        await trained(backend, { clipNorm: 0.05 }),
        await trained(backend, { clipNorm: 0.05, precision: "float32" }),
      ] as const;
      expect(largestApart(clipped[0].losses, clipped[1].losses)).toBeLessThan(2e-3);
    }),
  );

  test(
    "a power of two as loss scale changes no bit; a scale that is too small loses the gradient, and the default keeps it",
    inFloat16(async () => {
      const usual = await trained(backend);
      expect(await trained(backend, { lossScale: 2 ** 15 })).toEqual(usual);
      const lost = await trained(backend, { lossScale: 2 ** -20 });
      const { initial } = smallModel().parameters[0]!.attributes as unknown as { initial: Float32Array };
      expect(weightsOf(lost)).toEqual([...initial]);
      expect(weightsOf(usual)).not.toEqual([...initial]);
    }),
  );

  test(
    "reports the gradient norm of the loss, not of the scaled loss, also with micro-batches",
    inFloat16(async () => {
      const firstNorm = async (changes: Partial<TrainerOptions>) => {
        const trainer = await createTrainer(
          optionsOf(backend, { gradientNorm: true, onNonFinite: "skip", maxSteps: 1, ...changes }),
        );
        const [event] = await finish(trainer, { every: 1 });
        trainer.dispose();
        return event!.gradientNorm!;
      };
      const single = await firstNorm({ precision: "float32" });
      for (const changes of [{}, { lossScale: 2 ** 10 }, { microBatchSize: 4 }]) {
        expect(Math.abs((await firstNorm(changes)) / single - 1)).toBeLessThan(2e-3);
      }
    }),
  );

  test(
    "clips an operand that overflows, so that the gradient stays finite",
    inFloat16(async () => {
      const { losses, parameters } = await trained(backend, { lossScale: 2 ** 40 });
      expect(losses.every(Number.isFinite)).toBe(true);
      for (const { values } of Object.values(parameters)) expect(values.every(Number.isFinite)).toBe(true);
      expect(losses.at(-1)!).toBeLessThan(losses[0]!);
    }),
  );

  test(
    "evaluates and predicts in float32",
    inFloat16(async () => {
      const trainer = await createTrainer(optionsOf(backend, { maxSteps: 3 }));
      await finish(trainer);
      const { parameters } = await trainer.snapshot();
      const features = clouds(3).features;
      const judge = await createTrainer(
        optionsOf(createCpuBackend({ precision: "float64" }), {
          precision: "float32",
          resumeFrom: { step: 3, parameters, optimizer: (await trainer.snapshot()).optimizer },
        }),
      );
      const [actual, expected] = [await trainer.predict(features), await judge.predict(features)];
      // Rounding operands to float16 would change them by about 2⁻¹¹.
      const largest = Math.max(...expected.map(Math.abs));
      for (const [at, value] of expected.entries())
        expect(Math.abs(actual[at]! - value)).toBeLessThan(2 ** -20 * largest);
      trainer.dispose();
    }),
  );
});

test("the loss of a step on the GPU matches the CPU's, which rounds operands in the same way", async () => {
  const backend = await acquireBackend();
  await withFloat16(backend, async () => {
    const [gpu, cpu] = [await trained(backend), await trained(createCpuBackend())];
    // 1.4e-7 was measured. If a last digit in float32 changed how an operand is rounded, the difference would be slightly
    // larger.
    expect(largestApart(gpu.losses, cpu.losses)).toBeLessThan(1e-5);
  });
  backend.dispose();
});

test("a trainer on an adapter without shader-f16 is refused, naming the adapter", async () => {
  const backend = await acquireBackend({ features: [] });
  await expect(createTrainer(optionsOf(backend))).rejects.toThrow(DeviceError);
  await expect(createTrainer(optionsOf(backend))).rejects.toThrow(
    `${backend.adapter.name} does not have the feature shader-f16`,
  );
  backend.dispose();
});
