import { expect, test } from "vitest";
import { gptNetwork, gruNetwork, lossByPosition } from "../../examples/27-gru-and-gpt.ts";
import { sentences, textData, trainOnText } from "../../examples/lib/texts.ts";
import { summary } from "../../src/index.ts";
import { onBackends } from "./on-backends.ts";

const context = 12;
const data = textData(sentences(200), { context, validation: 0.1 });
const vocabulary = data.train.tokenizer.vocabularySize;

test("the networks of the picture have about as many parameters", () => {
  const [gru, gpt] = [gruNetwork(65, 64, 124), gptNetwork(65, 64, 64)].map((model) => summary(model).parameters);
  expect(Math.abs(gru! / gpt! - 1)).toBeLessThan(0.05);
});

onBackends("a GRU and a GPT", (backend) => {
  test.each([
    ["GRU", gruNetwork(vocabulary, context, 24)],
    ["GPT", gptNetwork(vocabulary, context, 16)],
  ])("%s learns, and predicts a character better the more it has read", async (_, model) => {
    const { trainer, loss } = await trainOnText(backend(), model, {
      ...data,
      steps: 40,
      learningRate: 0.03,
      batchSize: 8,
      checks: 1,
    });
    const byPosition = await lossByPosition(trainer, data.validation, data.validation.count);
    const mean = (losses: readonly number[]) => losses.reduce((total, one) => total + one, 0) / losses.length;
    // The evaluation is the mean over the same windows.
    expect(mean(byPosition)).toBeCloseTo(loss, 4);
    expect(loss).toBeLessThan(1.5);
    expect(mean(byPosition.slice(6))).toBeLessThan(0.95 * mean(byPosition.slice(0, 3)));
    trainer.dispose();
  });
});
