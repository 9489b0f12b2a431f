import { existsSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { characterTokenizer } from "../../src/data/text/characters.ts";
import { makeTextDataset, splitText } from "../../src/data/text/dataset.ts";
import { models, optimizers, perplexity, schedules } from "../../src/nn/index.ts";
import { readText } from "../../src/node/index.ts";
import { createTextGenerator, createTrainer } from "../../src/train/index.ts";
import { acquireWasmBackend } from "../wasm.ts";
import { finish } from "./examples.ts";

/** Shakespeare if `TEXT_DIR` has it, otherwise the guide and the change log of this repository. */
async function realText(): Promise<string> {
  const shakespeare = join(process.env["TEXT_DIR"] ?? "", "tinyshakespeare.txt");
  if (existsSync(shakespeare)) return (await readText(shakespeare)).slice(0, 200_000);
  const root = fileURLToPath(new URL("../..", import.meta.url));
  const files = ["CHANGELOG.md", "docs/performance.md", "docs/guide/layers.md", "docs/guide/moving-elements.md"];
  return (await Promise.all(files.map((file) => readText(join(root, file))))).join("\n");
}

/** The cross-entropy in nats of a text by the frequencies of single tokens in another. */
function unigramLoss(train: ArrayLike<number>, validation: ArrayLike<number>, vocabularySize: number): number {
  const counts = new Float64Array(vocabularySize).fill(1);
  for (let place = 0; place < train.length; place++) counts[train[place]!]!++;
  const all = counts.reduce((sum, count) => sum + count, 0);
  let total = 0;
  for (let place = 0; place < validation.length; place++) total -= Math.log(counts[validation[place]!]! / all);
  return total / validation.length;
}

test("a small GPT learns from a real text what single characters do not tell", async () => {
  const text = await realText();
  const tokenizer = characterTokenizer(`${text}\n`);
  const { vocabularySize } = tokenizer;
  const documents = text.split("\n");
  const { train, validation } = splitText(makeTextDataset({ documents, tokenizer, context: 32 }), { validation: 0.05 });
  const backend = await acquireWasmBackend();
  const model = models.gpt({ vocabulary: vocabularySize, context: 32, layers: 2, heads: 2, width: 48 });
  const trainer = await createTrainer({
    model,
    backend,
    dataset: train,
    learningRate: 4e-3,
    optimizer: optimizers.adamW({ weightDecay: 0.1 }),
    schedule: schedules.cosine(),
    clipNorm: 1,
    batchSize: 16,
    epochs: 10,
    maxSteps: 250,
  });
  await finish(trainer);
  const { loss } = await trainer.evaluate(validation);
  const chance = unigramLoss(train.tokens, validation.tokens, vocabularySize);
  const generator = await createTextGenerator({ model, session: trainer.session, tokenizer });
  let sample = "";
  for await (const { text: piece } of generator.generate({ prompt: "\n", tokens: 100, temperature: 0.8 }))
    sample += piece;
  console.log(`validation loss ${loss.toFixed(3)} nats, single characters ${chance.toFixed(3)}:\n${sample}`);
  // It has to choose among fewer than two thirds as many characters.
  expect(perplexity(loss)).toBeLessThan((2 / 3) * perplexity(chance));
  expect([...sample]).toHaveLength(100);
  // Words are as long as they are in the text, not one run of letters.
  expect(sample.split(/\s+/).length).toBeGreaterThan(8);
  trainer.dispose();
  backend.dispose();
});
