import { describe, expect, test } from "vitest";
import { characterTokenizer } from "../../../src/data/text/characters.ts";
import { byteTokenizer } from "../../../src/data/text/bytes.ts";
import { makeTextDataset, splitText } from "../../../src/data/text/dataset.ts";
import { windowsOf } from "../../../src/data/text/windows.ts";
import { decodeUtf8 } from "../../../src/data/text/utf8.ts";
import { DataError, OptionError } from "../../../src/errors.ts";

const alphabet = "abcdefghijklmnopqrstuvwxyz";
const tokenizer = characterTokenizer(`${alphabet}\n`);

describe("a text", () => {
  test("has windows that follow each other, with the tokens after them", () => {
    const data = makeTextDataset({ text: alphabet, tokenizer, context: 5 });
    expect(data).toMatchObject({ name: "text", context: 5, count: 5 });
    const { tokens, targets } = windowsOf(data, 3, 2);
    expect(tokenizer.decode(tokens!.values)).toBe("pqrstuvwxy");
    expect(tokenizer.decode(targets!.values)).toBe("qrstuvwxyz");
    expect(tokens!.shape).toEqual([5]);
    // Every window needs a token after it.
    expect(makeTextDataset({ text: alphabet.slice(0, 25), tokenizer, context: 5 }).count).toBe(4);
  });

  test("is split by position, with the validation text at its end", () => {
    const data = makeTextDataset({ text: alphabet, tokenizer, context: 3, name: "letters" });
    const { train, validation } = splitText(data, { validation: 0.25 });
    expect(tokenizer.decode(train.tokens)).toBe("abcdefghijklmnopqrs");
    expect(tokenizer.decode(validation.tokens)).toBe("tuvwxyz");
    expect([train.name, validation.name]).toEqual(["letters", "letters, validation"]);
    expect([train.count, validation.count]).toEqual([6, 2]);
  });

  test("that is too short is refused", () => {
    expect(() => makeTextDataset({ text: "", tokenizer, context: 1 })).toThrow("text: the text is empty. Give a text.");
    const what = "the text has 1 token, and a context of 1 needs at least 2";
    const fix = "Give more text, or a smaller context";
    expect(() => makeTextDataset({ text: "a", tokenizer, context: 1 })).toThrow(
      new DataError({ where: "text", what, fix }),
    );
    expect(() => makeTextDataset({ text: "abcd", tokenizer, context: 4 })).toThrow("has 4 tokens");
    expect(makeTextDataset({ text: "abcde", tokenizer, context: 4 }).count).toBe(1);
    const data = makeTextDataset({ text: alphabet, tokenizer, context: 5 });
    expect(() => splitText(data, { validation: 0.1 })).toThrow("text, validation: the text has 3 tokens");
  });

  test("with an unknown character or an invalid option is refused", () => {
    expect(() => makeTextDataset({ text: "ab\nA", tokenizer, context: 2, name: "x.txt" })).toThrow(
      'x.txt, line 2, column 1: the character "A" (U+0041) has no token',
    );
    for (const context of [0, 1.5, "4" as never])
      expect(() => makeTextDataset({ text: alphabet, tokenizer, context })).toThrow(OptionError);
    const data = makeTextDataset({ text: alphabet, tokenizer, context: 5 });
    for (const validation of [0, 1, NaN]) expect(() => splitText(data, { validation })).toThrow(OptionError);
    expect(() => makeTextDataset({ text: 5 as never, tokenizer, context: 2 })).toThrow(OptionError);
    expect(() => makeTextDataset({ documents: "ab" as never, tokenizer, context: 2 })).toThrow(OptionError);
  });
});

describe("documents", () => {
  const documents = Array.from({ length: 20 }, (_, index) => alphabet.slice(index, index + 1 + (index % 5)));

  test("are joined, each with the separator at its end", () => {
    const data = makeTextDataset({ documents: ["ab", "", "c"], tokenizer, context: 2 });
    expect(tokenizer.decode(data.tokens)).toBe("ab\n\nc\n");
    expect([...data.documents!]).toEqual([0, 3, 4]);
    const dotted = makeTextDataset({ documents: ["ab", "c"], separator: "..", tokenizer: byteTokenizer(), context: 2 });
    expect(byteTokenizer().decode(dotted.tokens)).toBe("ab..c..");
  });

  test("are split as a whole, at random by the seed", () => {
    const data = makeTextDataset({ documents, tokenizer, context: 2 });
    const linesOf = (tokens: ArrayLike<number>) => tokenizer.decode(tokens).split("\n").slice(0, -1);
    const { train, validation } = splitText(data, { validation: 0.25 });
    const held = linesOf(validation.tokens);
    expect(held).toHaveLength(5);
    expect(linesOf(train.tokens)).toEqual(documents.filter((document) => !held.includes(document)));
    expect(documents.filter((document) => held.includes(document))).toEqual(held);
    expect(held).not.toEqual(documents.slice(-5));
    expect(validation.documents).toHaveLength(5);
    expect(linesOf(splitText(data, { validation: 0.25 }).validation.tokens)).toEqual(held);
    expect(linesOf(splitText(data, { validation: 0.25, seed: 2 }).validation.tokens)).not.toEqual(held);
  });

  test("errors name the document", () => {
    expect(() => makeTextDataset({ documents: ["ab", "c!"], tokenizer, context: 2, name: "names" })).toThrow(
      "names, document 1, line 1, column 2",
    );
    expect(() => makeTextDataset({ documents: [], tokenizer, context: 2 })).toThrow("the text is empty");
    expect(() => makeTextDataset({ documents: ["", ""], tokenizer, context: 2 })).toThrow("the text is empty");
  });
});

describe("UTF-8", () => {
  const bytes = (...values: number[]) => Uint8Array.from(values);

  test("is decoded without a byte order mark", () => {
    expect(decodeUtf8(new TextEncoder().encode("\ufeffa\u00e9\u4f60\u{1f600}"), "x")).toBe("a\u00e9\u4f60\u{1f600}");
    expect(decodeUtf8(bytes(), "x")).toBe("");
  });

  test.each([
    ["a byte that no character has", [0x61, 0xff], 1],
    ["Latin-1", [0xc3, 0xa9, 0xe9, 0x20], 2],
    ["a character that ends early", [0x61, 0x62, 0xe4, 0xbd], 2],
    ["a longer form than needed", [0xc0, 0xaf], 0],
    ["a longer form of three bytes", [0x61, 0xe0, 0x80, 0xaf], 1],
    ["half of a surrogate pair", [0x61, 0xed, 0xa0, 0x80], 1],
    ["a code point above U+10FFFF", [0xf4, 0x90, 0x80, 0x80], 0],
    ["a continuation without a start", [0xf0, 0x9f, 0x98, 0x80, 0x80], 4],
  ])("%s is refused with its offset", (_, values, offset) => {
    expect(() => decodeUtf8(bytes(...values), "x.txt")).toThrow(
      `x.txt: the byte 0x${values[offset]!.toString(16)} at offset ${offset} is not valid UTF-8. Convert the file to UTF-8.`,
    );
  });
});
