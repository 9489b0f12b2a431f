/*
 * A GPT of about 200,000 parameters that makes up names, as in Karpathy's makemore: it learns from a list of names, one
 * character after another, and its loss on names that it has not seen says how well it predicts a character. A line
 * break ends a name, so a new name begins after a line break.
 */
import { createTextGenerator, models, summary, type FunctionalModel, type TextGenerator } from "../src/index.ts";
import { colors, line, picture, points, type Point } from "./lib/picture.ts";
import type { Stage } from "./lib/stage.ts";
import { loadNames, textData, trainOnText } from "./lib/texts.ts";

export const makeModel = (vocabulary: number, context: number): FunctionalModel<"tokens", "logits"> =>
  models.gpt({ vocabulary, context, layers: 4, heads: 4, width: 64, dropout: 0.1 });

/** New names, which the generator draws one after another. */
export async function makeNames(generator: TextGenerator, count: number): Promise<string[]> {
  const names: string[] = [];
  for (let seed = 1; seed <= count; seed++) {
    let name = "";
    for await (const { text } of generator.generate({ prompt: "\n", tokens: 30, stop: "\n", seed })) name += text;
    names.push(name);
  }
  return names;
}

/** The share of the names of each length, from 1 on. */
export const shareOfLengths = (names: readonly string[], longest: number): Point[] =>
  Array.from({ length: longest }, (_, index) => {
    const ofLength = names.filter((name) => name.length === index + 1);
    return [index + 1, (100 * ofLength.length) / names.length];
  });

export async function main({ backend, print, draw }: Stage): Promise<void> {
  const { text: names, source } = await loadNames();
  const context = 32;
  const data = textData(names, { context, validation: 0.1 });
  const { tokenizer } = data.train;
  const model = makeModel(tokenizer.vocabularySize, context);
  print(`${source}: ${names.length} names, a tenth of them held out`);
  print(`${summary(model).parameters.toLocaleString("en-US")} parameters`);
  const { trainer, curve, loss, seconds } = await trainOnText(backend, model, {
    ...data,
    steps: 4000,
    learningRate: 0.002,
  });
  for (const [step, value] of curve) print(`step ${step}: held-out loss ${value.toFixed(3)}`);
  print(`trained in ${seconds.toFixed(0)} seconds: ${loss.toFixed(3)} nats per character`);
  const generator = await createTextGenerator({ model, session: trainer.session, tokenizer });
  const found = await makeNames(generator, 1000);
  const known = new Set(names);
  print(found.slice(0, 16).join(", "));
  print(`of ${found.length} names, ${found.filter((name) => !known.has(name)).length} are not in the list`);
  trainer.dispose();
  const panels = [
    {
      title: "held-out loss",
      x: { name: "step" },
      y: { name: "nats per character" },
      series: [line("", curve), points("", curve)],
    },
    {
      title: "length of the names",
      x: { name: "letters" },
      y: { name: "% of the names", min: 0 },
      series: [
        line("names of the list", shareOfLengths(names, 15), { color: colors.gray }),
        points("made-up names", shareOfLengths(found, 15), { color: colors.orange }),
      ],
    },
  ];
  await draw(picture("25", panels));
}
