import { expect, test } from "vitest";
import {
  attentionWeights,
  bigramNetwork,
  countBigrams,
  countingLoss,
  oneHead,
} from "../../examples/24-bigrams-to-attention.ts";
import { sentences, textData, trainOnText } from "../../examples/lib/texts.ts";
import { characterTokenizer, makeTextDataset } from "../../src/index.ts";
import { onBackends } from "./on-backends.ts";

const context = 16;
const data = textData(sentences(300), { context, validation: 0.1 });
const vocabulary = data.train.tokenizer.vocabularySize;
const counted = countingLoss(countBigrams(data.train), data.validation);

test("counts pairs: each row has the shares of what follows a character", () => {
  const text = makeTextDataset({ text: "abacab", tokenizer: characterTokenizer("abc"), context: 2 });
  // a is followed by b twice and by c once, b by a once, and c by a once; each count is one more.
  expect([...countBigrams(text)]).toEqual([1 / 6, 3 / 6, 2 / 6, 2 / 4, 1 / 4, 1 / 4, 2 / 4, 1 / 4, 1 / 4]);
  const ofPairs = [3 / 6, 2 / 4, 2 / 6, 2 / 4, 3 / 6].map((share) => -Math.log(share));
  expect(countingLoss(countBigrams(text), text)).toBeCloseTo(ofPairs.reduce((total, loss) => total + loss, 0) / 5, 12);
});

onBackends("bigrams and attention", (backend) => {
  test("the network finds what counting finds, and attention finds more", async () => {
    const network = await trainOnText(backend(), bigramNetwork(vocabulary, context), {
      ...data,
      steps: 150,
      learningRate: 0.2,
      batchSize: 16,
      checks: 2,
    });
    network.trainer.dispose();
    // The best table of logits is that of the counts; its last tenth is not learned in 150 steps.
    expect(Math.abs(network.loss - counted)).toBeLessThan(0.05);
    const model = oneHead(vocabulary, context);
    const { trainer, loss } = await trainOnText(backend(), model, {
      ...data,
      steps: 100,
      learningRate: 0.03,
      batchSize: 16,
      checks: 2,
    });
    expect(loss).toBeLessThan(0.85 * counted);
    const weights = await attentionWeights(
      trainer.session,
      model,
      Uint32Array.from(data.train.tokens.subarray(0, context)),
    );
    trainer.dispose();
    for (let row = 0; row < context; row++) {
      const own = weights.slice(row * context, (row + 1) * context);
      expect(own.reduce((total, weight) => total + weight, 0)).toBeCloseTo(1, 5);
      expect(own.slice(row + 1).every((weight) => weight === 0)).toBe(true);
    }
    // The network has learned where to look: not everywhere alike.
    expect(Math.max(...weights.slice(-context))).toBeGreaterThan(2 / context);
  });
});
