import { expect, test } from "vitest";
import { createCpuBackend } from "../../../src/backends/cpu/index.ts";
import { Sampler } from "../../../src/cli/training/samples.ts";
import type { Run, Subject } from "../../../src/cli/training/training-run.ts";
import { characterTokenizer } from "../../../src/data/text/characters.ts";
import { makeTextDataset } from "../../../src/data/text/dataset.ts";
import { DeviceLostError } from "../../../src/errors.ts";
import { models, sequential } from "../../../src/nn/index.ts";
import { createTrainer } from "../../../src/train/index.ts";

const tokenizer = characterTokenizer("abc");
const train = makeTextDataset({ text: "abcabcabcabc", tokenizer, context: 4 });
const run = (sampleEvery?: number) =>
  ({ data: { kind: "text", train }, flags: { seed: 1, ...(sampleEvery !== undefined && { sampleEvery }) } }) as Run;

async function subject(): Promise<Subject> {
  const layer = models.gptLayer({ vocabulary: 3, context: 4, layers: 1, heads: 1, width: 4 });
  const model = sequential([layer], { inputShape: [4] });
  const options = { model, dataset: train, backend: createCpuBackend(), learningRate: 0.1, batchSize: 2, epochs: 10 };
  return { model, trainer: await createTrainer(options) };
}

test("samples are taken at a fifth of the run, at multiples of the given steps, and at the end", async () => {
  const own = await subject();
  expect(own.trainer.totalSteps).toBe(10);
  expect(Sampler.of(run(), own)!.every).toBe(2);
  expect(Sampler.of(run(0), own)).toBeUndefined();
  const sampler = Sampler.of(run(4), own)!;
  expect(await sampler.sampleAt(5)).toBeUndefined();
  // The text has no line break to start from, so the first token is the prompt.
  const { step, text } = (await sampler.sampleAt(8))!;
  expect(step).toBe(8);
  expect(text).toMatch(/^[abc]{4}$/);
  expect(await sampler.sampleAt(10)).toEqual({ step: 10, text });
});

test("a lost device takes a sample, not the run", async () => {
  const { model, trainer } = await subject();
  let isLost = true;
  const losing = Object.create(trainer, {
    session: {
      get() {
        if (isLost) throw new DeviceLostError({ what: "the device was lost" });
        return trainer.session;
      },
    },
    totalSteps: { value: 10 },
  }) as Subject["trainer"];
  const sampler = Sampler.of(run(5), { model, trainer: losing })!;
  expect(await sampler.sampleAt(5)).toBeUndefined();
  isLost = false;
  expect(await sampler.sampleAt(10)).toMatchObject({ step: 10 });
});
