import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Backend } from "../../../src/backends/backend.ts";
import { createCpuBackend } from "../../../src/backends/cpu/index.ts";
import { characterTokenizer } from "../../../src/data/text/characters.ts";
import { makeTextDataset } from "../../../src/data/text/dataset.ts";
import { DataError, OptionError } from "../../../src/errors.ts";
import { functionalModel, layers, models, sequential } from "../../../src/nn/index.ts";
import { createEvaluator, createTextGenerator, createTrainer } from "../../../src/train/index.ts";
import type { GenerateOptions, TextGenerator } from "../../../src/train/index.ts";
import { backends } from "../../backends.ts";
import { finish } from "../examples.ts";

const CONTEXT = 8;
const tokenizer = characterTokenizer("abcdefgh");
const gpt = (seed = 2) => models.gpt({ vocabulary: 8, context: CONTEXT, layers: 2, heads: 2, width: 16, seed });

async function textOf(generator: TextGenerator, options: GenerateOptions): Promise<string> {
  const texts: string[] = [];
  for await (const { text } of generator.generate(options)) texts.push(text);
  return texts.join("");
}

describe.each(backends)("generation on $name", ({ create }) => {
  let backend: Backend;
  beforeAll(async () => {
    backend = await create();
  });
  afterAll(() => backend.dispose());

  test("takes the most likely token after the last ones of the context", async () => {
    const model = gpt();
    const session = backend.createSession();
    const generator = await createTextGenerator({ model, session, tokenizer });
    const found = await textOf(generator, { prompt: "cab", tokens: 14, temperature: 0 });
    const evaluator = createEvaluator({ model, backend, session });
    let tokens = [...tokenizer.encode("cab")];
    for (let count = 0; count < 14; count++) {
      const used = tokens.slice(-CONTEXT);
      // What is after the last token does not matter.
      const { logits } = await evaluator.predict(Uint32Array.from({ length: CONTEXT }, (_, at) => used[at] ?? 7));
      const row = [...logits.subarray(8 * (used.length - 1), 8 * used.length)];
      tokens = [...tokens, row.indexOf(Math.max(...row))];
    }
    expect(found).toBe(tokenizer.decode(tokens.slice(3)));
    session.dispose();
  });

  test("computes a token alone, with the same result as from the whole context", async () => {
    const model = gpt(7);
    const session = backend.createSession();
    const cached = await createTextGenerator({ model, session, tokenizer });
    const whole = await createTextGenerator({ model, session, tokenizer, cache: false });
    for (const prompt of ["a", "hgfed", "abcdefgh"])
      for (const temperature of [0, 4]) {
        // The context is full after some tokens.
        const options = { prompt, tokens: 12, temperature };
        expect(await textOf(cached, options)).toBe(await textOf(whole, options));
      }
    session.dispose();
  });

  test("continues what a trainer has learned, with tokens that depend on the seed", async () => {
    const text = "abcdefgh".repeat(40);
    const dataset = makeTextDataset({ text, tokenizer, context: CONTEXT });
    const model = sequential([layers.embedding(8, 8)], { inputShape: [CONTEXT] });
    const trainer = await createTrainer({ model, backend, dataset, learningRate: 0.1, batchSize: 8, epochs: 20 });
    await finish(trainer);
    const generator = await createTextGenerator({ model, session: trainer.session, tokenizer });
    expect(await textOf(generator, { prompt: "cde", tokens: 20, topK: 1 })).toBe("fghabcdefghabcdefgha");
    expect(await textOf(generator, { prompt: "c", tokens: 30, topP: 0.5, stop: ["bc"] })).toBe("defgha");
    const hot = { prompt: "a", tokens: 40, temperature: 5 };
    const first = await textOf(generator, hot);
    expect(first).toHaveLength(40);
    expect(await textOf(generator, hot)).toBe(first);
    expect(await textOf(generator, { ...hot, seed: 2 })).not.toBe(first);
    trainer.dispose();
  });

  test("of two texts at the same time does not mix them", async () => {
    const session = backend.createSession();
    const generator = await createTextGenerator({ model: gpt(5), session, tokenizer });
    const [a, b] = ["abc", "hg"].map((prompt) => ({ prompt, tokens: 12, temperature: 3 }));
    const alone = [await textOf(generator, a!), await textOf(generator, b!)];
    expect(await Promise.all([textOf(generator, a!), textOf(generator, b!)])).toEqual(alone);
    session.dispose();
  });
});

describe("a text generator", () => {
  const backend = createCpuBackend();
  const session = backend.createSession();
  const chain = sequential([layers.embedding(9, 9)], { inputShape: [CONTEXT], seed: 4 });

  test("applies a sequential model, of whose logits it uses as many as there are tokens", async () => {
    const generator = await createTextGenerator({ model: chain, session, tokenizer });
    const tokens: number[] = [];
    for await (const { token } of generator.generate({ prompt: "a", tokens: 100, temperature: 9 })) tokens.push(token);
    expect(new Set(tokens).size).toBe(8);
    expect(Math.max(...tokens)).toBe(7);
  });

  test("has one token for a text of one character", async () => {
    const single = sequential([layers.embedding(1, 1)], { inputShape: [2] });
    const generator = await createTextGenerator({ model: single, session, tokenizer: characterTokenizer("x") });
    expect(await textOf(generator, { prompt: "x", tokens: 5 })).toBe("xxxxx");
  });

  test("refuses models that do not predict the next token, or too few of them", async () => {
    const refused = (model: Parameters<typeof createTextGenerator>[0]["model"], message: string) =>
      expect(createTextGenerator({ model, session, tokenizer })).rejects.toThrow(message);
    await refused(
      sequential([layers.embedding(7, 7)], { inputShape: [CONTEXT] }),
      "the model has 7 logits, but the tokenizer has 8",
    );
    await refused(
      sequential([layers.dense(8)], { inputShape: [CONTEXT] }),
      "are not [context] and [context, vocabulary]",
    );
    const two = functionalModel({ inputs: { a: [4], b: [4] } }, ({ a }, { use }) => ({
      y: use(layers.embedding(8, 8), a!),
    }));
    await refused(two, "are not [context] and [context, vocabulary]");
    await expect(createTextGenerator({ model: chain, session: {} as never, tokenizer })).rejects.toThrow(OptionError);
  });

  test("refuses prompts and options before it computes", async () => {
    const generator = await createTextGenerator({ model: chain, session, tokenizer });
    const refused = (options: Partial<GenerateOptions>, error: string | Error | typeof OptionError) =>
      expect(textOf(generator, { prompt: "abc", tokens: 3, ...options })).rejects.toThrow(error);
    await refused(
      { prompt: "" },
      "prompt: the prompt is empty. Give at least one character, and at most 8 tokens, the context of the model.",
    );
    await refused({ prompt: "abcdefgha" }, "prompt: the prompt has 9 tokens");
    await refused(
      { prompt: "abz" },
      new DataError({
        where: "prompt, line 1, column 3",
        what: 'the character "z" (U+007A) has no token',
        fix: "Use characters of the text that the model was trained on",
      }),
    );
    await refused({ prompt: 5 as never }, OptionError);
    for (const tokens of [0, -1, 2.5]) await refused({ tokens }, OptionError);
    for (const stop of ["", [""], [3] as never, 3 as never]) await refused({ stop }, "stop: ");
    await refused({ temperature: -1 }, OptionError);
  });
});
