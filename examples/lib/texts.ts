/*
 * Texts for the examples, from the folder in the environment variable TEXT_DIR, and made-up ones in their place.
 */
import { existsSync } from "node:fs";
import { join } from "node:path";
import {
  characterTokenizer,
  createTrainer,
  makeTextDataset,
  optimizers,
  Random,
  schedules,
  splitText,
  type AnyModel,
  type Backend,
  type SplitTextOptions,
  type TextDataset,
  type Trainer,
} from "../../src/index.ts";
import { readDocuments, readText } from "../../src/node/index.ts";
import type { Point } from "./picture.ts";

/** A text, or documents, with where they come from. */
export interface Source<Text> {
  readonly text: Text;
  readonly source: string;
}

const pathOf = (file: string): string | undefined => {
  const path = join(process.env["TEXT_DIR"] ?? "", file);
  return existsSync(path) ? path : undefined;
};

/** tinyshakespeare.txt, or made-up sentences. */
export async function loadShakespeare(): Promise<Source<string>> {
  const path = pathOf("tinyshakespeare.txt");
  if (path !== undefined) return { text: await readText(path), source: "tinyshakespeare.txt" };
  return { text: sentences(5000), source: "made-up sentences, since TEXT_DIR has no tinyshakespeare.txt" };
}

/** The lines of names.txt, or made-up names. */
export async function loadNames(): Promise<Source<readonly string[]>> {
  const path = pathOf("names.txt");
  if (path !== undefined) return { text: await readDocuments(path, { lines: true }), source: "names.txt" };
  return { text: madeUpNames(5000), source: "made-up names, since TEXT_DIR has no names.txt" };
}

const pick = (random: Random, words: string): string => {
  const list = words.split(" ");
  return list[random.below(list.length)]!;
};

/** Sentences such as "the old cat sees a bird." in lines. */
export function sentences(count: number, seed = 1): string {
  const random = new Random(seed);
  const sentence = () =>
    `the ${pick(random, "old young tall")} ${pick(random, "cat dog fox")} ${pick(random, "sees hears likes")} a ` +
    `${pick(random, "bird mouse")}.\n`;
  return Array.from({ length: count }, sentence).join("");
}

/** Different names of two or three syllables. */
export function madeUpNames(count: number, seed = 1): string[] {
  const random = new Random(seed);
  const names = new Set<string>();
  const syllable = () => pick(random, "a be ca da el fi ka li ma no ra sa ti vi yo") + pick(random, "n l r s m t");
  while (names.size < count) {
    names.add(Array.from({ length: 2 + random.below(2) }, syllable).join("") + pick(random, "a e i o ia"));
  }
  return [...names];
}

/** A text as windows of characters, split into a training set and a validation set. */
export function textData(
  text: string | readonly string[],
  { context, ...split }: SplitTextOptions & { readonly context: number },
): { readonly train: TextDataset; readonly validation: TextDataset } {
  const isWhole = typeof text === "string";
  const tokenizer = characterTokenizer(isWhole ? text : `${text.join("\n")}\n`);
  return splitText(makeTextDataset({ ...(isWhole ? { text } : { documents: text }), tokenizer, context }), split);
}

export interface TextTraining {
  readonly train: TextDataset;
  readonly validation: TextDataset;
  readonly steps: number;
  readonly learningRate: number;
  /** 32 by default. */
  readonly batchSize?: number;
  /** The number of evaluations, evenly spaced over the steps; 10 by default. */
  readonly checks?: number;
}

export interface TrainedText<Kind extends AnyModel = AnyModel> {
  /** For generating text. */
  readonly trainer: Trainer<Kind>;
  /** The validation loss after some steps, in nats per character. */
  readonly curve: readonly Point[];
  /** The last validation loss. */
  readonly loss: number;
  /** Seconds of training, without those of the evaluations. */
  readonly seconds: number;
}

/** Trains a model that predicts the next token, with AdamW and a cosine schedule after a warm-up. */
export async function trainOnText<Kind extends AnyModel>(
  backend: Backend,
  model: Kind,
  options: TextTraining,
): Promise<TrainedText<Kind>> {
  const { train, validation, steps, learningRate, batchSize = 32, checks = 10 } = options;
  const trainer = await createTrainer({
    model,
    backend,
    dataset: train,
    learningRate,
    batchSize,
    optimizer: optimizers.adamW({ beta2: 0.99, weightDecay: 0.1 }),
    schedule: schedules.warmup(Math.ceil(steps / 20), schedules.cosine()),
    clipNorm: 1,
    epochs: Math.ceil((steps * batchSize) / train.count) + 1,
    maxSteps: steps,
  });
  const curve: Point[] = [];
  const every = Math.ceil(steps / checks);
  let seconds = 0;
  let since = performance.now();
  for await (const { step } of trainer.fit({ every, pauseEvery: every })) {
    seconds += (performance.now() - since) / 1000;
    curve.push([step, (await trainer.evaluate(validation)).loss]);
    since = performance.now();
  }
  return { trainer, curve, loss: curve.at(-1)![1], seconds };
}
