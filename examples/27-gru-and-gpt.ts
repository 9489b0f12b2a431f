/*
 * A recurrent network (a GRU, Cho et al. 2014) beside a GPT of as many parameters, on the same text. The GRU reads one
 * character after another and keeps a vector of what it has read. The GPT keeps nothing: each position looks back at all
 * characters of its context. The loss by position shows what the characters before a position are worth to each network.
 */
import {
  createTextGenerator,
  functionalModel,
  layers,
  models,
  probabilities,
  summary,
  type FunctionalModel,
  type TextDataset,
  type Trainer,
} from "../src/index.ts";
import { colors, line, picture, type Point } from "./lib/picture.ts";
import type { Stage } from "./lib/stage.ts";
import { loadShakespeare, textData, trainOnText } from "./lib/texts.ts";

type LanguageModel = FunctionalModel<"tokens", "logits">;

/** Embeddings, a recurrent layer with its output at each position, and logits. */
export const gruNetwork = (vocabulary: number, context: number, units: number): LanguageModel =>
  functionalModel({ inputs: { tokens: { shape: [context], dtype: "uint32" } } }, ({ tokens }, { use }) => {
    const read = use(layers.gru(units, { sequences: true }), use(layers.embedding(vocabulary, units), tokens));
    // A dense layer for each position: a convolution whose window is one position.
    return { logits: use(layers.conv1d(vocabulary, 1), read) };
  });

export const gptNetwork = (vocabulary: number, context: number, width: number): LanguageModel =>
  models.gpt({ vocabulary, context, layers: 2, heads: 4, width });

/** The mean of −log p at each position of the first windows of a text. */
export async function lossByPosition(
  trainer: Trainer<LanguageModel>,
  { tokens, context, tokenizer: { vocabularySize } }: TextDataset,
  windows: number,
): Promise<number[]> {
  const { logits } = await trainer.predict({ tokens: Uint32Array.from(tokens.subarray(0, windows * context)) });
  const shares = probabilities(logits, vocabularySize);
  const losses = new Array<number>(context).fill(0);
  for (let place = 0; place < windows * context; place++) {
    losses[place % context]! -= Math.log(shares[place * vocabularySize + tokens[place + 1]!]!) / windows;
  }
  return losses;
}

export async function main({ backend, print, draw }: Stage): Promise<void> {
  const { text, source } = await loadShakespeare();
  const context = 64;
  const data = textData(text, { context, validation: 0.1 });
  const { tokenizer } = data.train;
  print(
    `${source}: ${data.train.tokens.length} characters for training, ${data.validation.tokens.length} for validation`,
  );
  const networks = {
    GRU: gruNetwork(tokenizer.vocabularySize, context, 124),
    GPT: gptNetwork(tokenizer.vocabularySize, context, 64),
  };
  const [curves, positions]: [(readonly Point[])[], (readonly Point[])[]] = [[], []];
  for (const [name, model] of Object.entries(networks)) {
    const { trainer, curve, loss, seconds } = await trainOnText(backend, model, {
      ...data,
      steps: 1500,
      learningRate: 0.004,
      batchSize: 16,
    });
    const parameters = summary(model).parameters.toLocaleString("en-US");
    print(`${name}: ${parameters} parameters, validation loss ${loss.toFixed(3)}, ${seconds.toFixed(0)} seconds`);
    const byPosition = await lossByPosition(trainer, data.validation, 1000);
    curves.push(curve);
    positions.push(byPosition.map((value, position): Point => [position + 1, value]));
    const generator = await createTextGenerator({ model, session: trainer.session, tokenizer });
    let sample = "";
    for await (const piece of generator.generate({ prompt: "\n", tokens: 150, temperature: 0.8 })) sample += piece.text;
    print(sample);
    trainer.dispose();
  }
  const linesOf = (all: readonly (readonly Point[])[]) =>
    Object.keys(networks).map((name, index) =>
      line(name, all[index]!, { color: [colors.orange, colors.blue][index]! }),
    );
  const panels = [
    { title: "validation loss", x: { name: "step" }, y: { name: "nats per character" }, series: linesOf(curves) },
    {
      title: "validation loss by position in the context",
      x: { name: "characters that can be read", log: true, min: 1, max: context },
      y: { name: "nats per character" },
      series: linesOf(positions),
    },
  ];
  await draw(picture("27", panels));
}
