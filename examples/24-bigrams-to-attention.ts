/*
 * From counting to attention, in steps. Each model predicts the next character of a text, and is measured by the mean of
 * −log p over a validation text, in nats:
 *
 *   counting         how often each character follows each other one
 *   bigram network   a table of logits that is learned, and can only find what counting finds
 *   one head         attention: each position also reads those before it
 *   a block          four heads, a hidden layer, normalization and residual connections: a GPT with one block
 */
import {
  attention,
  constant,
  defineGraph,
  functionalModel,
  initializers,
  input,
  layers,
  models,
  perplexity,
  sequential,
  summary,
  type AnyModel,
  type FunctionalModel,
  type Model,
  type Session,
  type TextDataset,
} from "../src/index.ts";
import { colors, image, line, picture, type Point } from "./lib/picture.ts";
import type { Stage } from "./lib/stage.ts";
import { loadShakespeare, textData, trainOnText, type TrainedText } from "./lib/texts.ts";

/** p(next | token) for all pairs, row by row: the number of pairs plus 1, divided by the sum of its row. */
export function countBigrams({ tokens, tokenizer: { vocabularySize } }: TextDataset): Float64Array {
  const counts = new Float64Array(vocabularySize ** 2).fill(1);
  for (let place = 1; place < tokens.length; place++) counts[tokens[place - 1]! * vocabularySize + tokens[place]!]!++;
  for (let row = 0; row < counts.length; row += vocabularySize) {
    const own = counts.subarray(row, row + vocabularySize);
    const total = own.reduce((sum, count) => sum + count, 0);
    own.forEach((count, next) => (own[next] = count / total));
  }
  return counts;
}

/** The mean of −log p over the pairs of a text. */
export function countingLoss(shares: Float64Array, { tokens, tokenizer: { vocabularySize } }: TextDataset): number {
  let total = 0;
  for (let place = 1; place < tokens.length; place++) {
    total -= Math.log(shares[tokens[place - 1]! * vocabularySize + tokens[place]!]!);
  }
  return total / (tokens.length - 1);
}

/** A row of logits for each token, at first all 0. */
export const bigramNetwork = (vocabulary: number, context: number): Model =>
  sequential([layers.embedding(vocabulary, vocabulary, { weights: initializers.constant(0) })], {
    inputShape: [context],
  });

const WIDTH = 32;

/** A dense layer for each position: a convolution whose window is one position. */
const denseAtEach = (units: number, bias = true) => layers.conv1d(units, 1, { bias });

/** One head of attention between an embedding and the logits. */
export const oneHead = (vocabulary: number, context: number): FunctionalModel<"tokens", "logits"> =>
  functionalModel({ inputs: { tokens: { shape: [context], dtype: "uint32" } }, seed: 1 }, ({ tokens }, { use }) => {
    const x = use(layers.positionEmbedding(context), use(layers.embedding(vocabulary, WIDTH), tokens));
    const project = (name: string) => use(denseAtEach(WIDTH, false), x, name);
    const attended = attention(project("query"), project("key"), project("value"), { causal: true });
    return { logits: use(denseAtEach(vocabulary), attended) };
  });

const oneBlock = (vocabulary: number, context: number): FunctionalModel<"tokens", "logits"> =>
  models.gpt({ vocabulary, context, layers: 1, heads: 4, width: WIDTH });

/** The networks in order, with the steps and the learning rate of each. */
export const networks = (
  vocabulary: number,
  context: number,
): Record<string, { model: AnyModel; steps: number; learningRate: number }> => ({
  "bigram network": { model: bigramNetwork(vocabulary, context), steps: 1500, learningRate: 0.2 },
  "one head": { model: oneHead(vocabulary, context), steps: 1500, learningRate: 0.02 },
  "a block": { model: oneBlock(vocabulary, context), steps: 1500, learningRate: 0.01 },
});

/** How much each position attends to each other one in the one head, [context, context] row by row. */
export async function attentionWeights(
  session: Session,
  model: FunctionalModel,
  tokens: Uint32Array,
): Promise<number[]> {
  const context = tokens.length;
  const given = input("given", [1, context], "uint32");
  const { uses } = model.applyEach({ tokens: given });
  const [query, key] = ["query", "key"].map((wanted) => uses.find(({ name }) => name === wanted)!.output);
  // With unit vectors as values, the results are the weights.
  const units = Array.from({ length: context ** 2 }, (_, at) => Number(at % (context + 1) === 0));
  const weights = attention(query!, key!, constant(units, [1, context, context]), { causal: true });
  const executable = await session.compile(defineGraph({ weights }));
  session.write(given, tokens);
  await executable.run(0, 1);
  return [...(await executable.read("weights"))];
}

export async function main({ backend, print, draw }: Stage): Promise<void> {
  const { text, source } = await loadShakespeare();
  const context = 32;
  const data = textData(text, { context, validation: 0.1 });
  const { vocabularySize } = data.train.tokenizer;
  print(
    `${source}: ${data.train.tokens.length} characters for training, ${data.validation.tokens.length} for validation`,
  );
  print(["model", "parameters", "loss", "perplexity", "seconds"].map((title) => title.padStart(14)).join(""));
  const row = (name: string, ...cells: string[]) => print([name, ...cells].map((cell) => cell.padStart(14)).join(""));
  const counted = countingLoss(countBigrams(data.train), data.validation);
  row("counting", "0", counted.toFixed(3), perplexity(counted).toFixed(1));
  const all = networks(vocabularySize, context);
  const trained: Record<string, TrainedText> = {};
  for (const [name, { model, ...options }] of Object.entries(all)) {
    const { loss, seconds } = (trained[name] = await trainOnText(backend, model, {
      ...data,
      ...options,
      batchSize: 16,
      checks: 5,
    }));
    const cells = [summary(model).parameters.toLocaleString("en-US"), loss.toFixed(3), perplexity(loss).toFixed(1)];
    row(name, ...cells, seconds.toFixed(0));
  }
  const shown = data.validation.tokens.subarray(0, context);
  const { session } = trained["one head"]!.trainer;
  const weights = await attentionWeights(session, all["one head"]!.model as FunctionalModel, Uint32Array.from(shown));
  const palette = [colors.orange, colors.green, colors.blue];
  const counting = [0, 1500].map((step): Point => [step, counted]);
  const panels = [
    {
      title: "validation loss",
      x: { name: "step" },
      y: { name: "nats per character" },
      series: [
        line("counting", counting, { color: colors.gray, dashed: true }),
        ...Object.entries(trained).map(([name, { curve }], index) => line(name, curve, { color: palette[index]! })),
      ],
    },
    {
      title: "what each position (row) reads",
      x: { max: context, hidden: true, min: 0 },
      y: { max: context, hidden: true, min: 0 },
      series: [image({ width: context, height: context, values: weights, range: [0, 0.5], colors: blues })],
    },
  ];
  for (const { trainer } of Object.values(trained)) trainer.dispose();
  await draw(picture("24", panels));
}

/** From white to blue. */
const blues = ["#ffffff", "#d6e6f1", "#b4d2e7", "#93bfdd", "#6da8d0", "#4792c3", "#2375a9", "#00598f"];
