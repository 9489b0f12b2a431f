import { expect, test } from "vitest";
import { makeModel, makeNames, shareOfLengths } from "../../examples/25-names.ts";
import { madeUpNames, textData, trainOnText } from "../../examples/lib/texts.ts";
import { createTextGenerator, models, summary } from "../../src/index.ts";
import { onBackends } from "./on-backends.ts";

test("the network has about 200,000 parameters", () => {
  expect(Math.abs(summary(makeModel(27, 32)).parameters - 200_000)).toBeLessThan(5000);
});

test("the lengths of names are counted as shares", () => {
  expect(shareOfLengths(["ab", "abc", "de", "fg"], 3)).toEqual([
    [1, 0],
    [2, 75],
    [3, 25],
  ]);
});

onBackends("names", (backend) => {
  test("a smaller network makes up names like those of the list", async () => {
    const names = madeUpNames(800);
    const context = 16;
    const data = textData(names, { context, validation: 0.1 });
    const { tokenizer } = data.train;
    const model = models.gpt({ vocabulary: tokenizer.vocabularySize, context, layers: 1, heads: 2, width: 24 });
    const { trainer, loss, curve } = await trainOnText(backend(), model, {
      ...data,
      steps: 120,
      learningRate: 0.02,
      batchSize: 16,
      checks: 2,
    });
    expect(curve.map(([step]) => step)).toEqual([60, 120]);
    // All characters alike would have a loss of ln 19 = 2.9. Each syllable is one of 96.
    expect(loss).toBeLessThan(2);
    const generator = await createTextGenerator({ model, session: trainer.session, tokenizer });
    const found = await makeNames(generator, 5);
    expect(found).toEqual(await makeNames(generator, 5));
    expect(new Set(found).size).toBeGreaterThan(3);
    for (const name of found) expect(name).toMatch(/^[a-z]{1,30}$/);
    trainer.dispose();
  });
});
