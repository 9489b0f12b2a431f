import { describe, expect, test } from "vitest";
import { addition, copying, reversing, sorting, type SequenceTask } from "../../../src/data/text/tasks.ts";
import { IGNORED_TOKEN } from "../../../src/data/text/tokenizer.ts";
import type { TensorDataset } from "../../../src/data/tensor-dataset.ts";
import { OptionError } from "../../../src/errors.ts";

/** The examples as texts, with "·" for targets without a loss. */
function textsOf({ tokenizer, context }: SequenceTask, { count, tensors }: TensorDataset) {
  return Array.from({ length: count }, (_, row) => {
    const [tokens, targets] = (["tokens", "targets"] as const).map((name) =>
      [...tensors[name]!.values.subarray(row * context, (row + 1) * context)]
        .map((token) => (token === IGNORED_TOKEN ? "·" : tokenizer.decode([token])))
        .join(""),
    ) as [string, string];
    return { tokens, targets, whole: tokens[0]! + tokens.slice(1) + targets.at(-1)! };
  });
}

describe("addition", () => {
  const task = addition({ seed: 3 });

  test("has each pair once, in both orders in one of the sets", () => {
    const sets = [task.train, task.test].map((data) => textsOf(task, data).map(({ whole }) => whole));
    const all = sets.flat();
    expect(all).toHaveLength(10_000);
    expect(new Set(all).size).toBe(10_000);
    for (const text of all) {
      const [, a, b, sum] = /^(\d\d)\+(\d\d)=(\d\d\d)$/.exec(text)!;
      expect(Number(sum)).toBe(Number(a) + Number(b));
    }
    const held = new Set(sets[1]);
    expect(sets[0]!.filter((text) => held.has(`${text.slice(3, 5)}+${text.slice(0, 2)}${text.slice(5)}`))).toEqual([]);
    // A tenth of the 5,050 pairs.
    expect(Math.abs(held.size - 1000)).toBeLessThan(20);
    expect(task).toMatchObject({ context: 8, questionLength: 6, answerLength: 3 });
    expect(task.tokenizer.vocabularySize).toBe(12);
  });

  test("has a loss for the answer only", () => {
    const [first] = textsOf(task, task.test);
    expect(first!.targets).toBe(`·····${first!.whole.slice(6)}`);
    expect(first!.tokens).toBe(first!.whole.slice(0, 8));
  });

  test("may have reversed answers, other numbers and a chosen number of pairs", () => {
    const reversed = addition({ digits: 3, reversed: true, count: 50, test: 0.2 });
    const texts = [...textsOf(reversed, reversed.train), ...textsOf(reversed, reversed.test)];
    expect(texts.length).toBeGreaterThan(90);
    expect(texts.length).toBeLessThanOrEqual(100);
    for (const { whole } of texts) {
      const [, a, b, sum] = /^(\d{3})\+(\d{3})=(\d{4})$/.exec(whole)!;
      expect(Number([...sum!].reverse().join(""))).toBe(Number(a) + Number(b));
    }
  });

  test("depends on the seed only", () => {
    const small = { digits: 1, count: 20 };
    expect(addition(small).train).toEqual(addition(small).train);
    expect(addition(small).train).not.toEqual(addition({ ...small, seed: 2 }).train);
  });
});

describe.each([
  ["sorting", sorting, (symbols: string[]) => symbols.toSorted()],
  ["reversing", reversing, (symbols: string[]) => symbols.toReversed()],
  ["copying", copying, (symbols: string[]) => symbols],
])("%s", (name, make, answer) => {
  test("has the right answers, and no question in both sets", () => {
    const task = make({ length: 5, symbols: 4, count: 300 });
    const texts = [...textsOf(task, task.train), ...textsOf(task, task.test)].map(({ whole }) => whole);
    expect(new Set(texts).size).toBe(300);
    for (const text of texts) {
      const [question, found] = text.split("=") as [string, string];
      expect(question).toMatch(/^[a-d]{5}$/);
      expect(found).toBe(answer([...question]).join(""));
    }
    expect([task.name, task.test.count, task.context]).toEqual([name, 30, 10]);
  });
});

test("all questions that there are may be fewer than wanted", () => {
  const task = copying({ length: 2, symbols: 2 });
  expect(task.train.count + task.test.count).toBe(4);
});

test("options outside their range are refused", () => {
  for (const digits of [0, 8, 1.5]) expect(() => addition({ digits })).toThrow(OptionError);
  for (const fraction of [0, 1, NaN]) expect(() => sorting({ test: fraction })).toThrow(OptionError);
  expect(() => sorting({ symbols: 27 })).toThrow("sorting symbols: 27 is out of range. Give a whole number in 2 … 26.");
  expect(() => reversing({ length: 0 })).toThrow(OptionError);
  expect(() => copying({ count: 1 })).toThrow(OptionError);
});
