import { describe, expect, test } from "vitest";
import { bytePairTokenizer, trainBytePairs } from "../../../src/data/text/byte-pairs/index.ts";
import { partsOf } from "../../../src/data/text/byte-pairs/alphabet.ts";
import { byteTokenizer } from "../../../src/data/text/bytes.ts";
import { characterTokenizer } from "../../../src/data/text/characters.ts";
import { tokenizerFromConfig } from "../../../src/data/text/config.ts";
import type { Tokenizer, TokenizerConfig } from "../../../src/data/text/tokenizer.ts";
import { DataError, OptionError } from "../../../src/errors.ts";

describe("characters", () => {
  test("have tokens in the order of their code points", () => {
    const tokenizer = characterTokenizer("hello, \u{1f600}é\u{ff21}");
    expect(tokenizer.vocabularySize).toBe(9);
    expect(tokenizer.config).toEqual({ type: "characters", characters: " ,ehlo\u00e9\uff21\u{1f600}" });
    expect([...tokenizer.encode("hé\u{1f600}, o")]).toEqual([3, 6, 8, 1, 0, 5]);
    expect(tokenizer.decode([3, 6, 8, 1, 0, 5])).toBe("hé\u{1f600}, o");
  });

  test("of more than 256 kinds have tokens of 16 bits", () => {
    const text = String.fromCodePoint(...Array.from({ length: 300 }, (_, index) => 0x4e00 + index));
    const tokens = characterTokenizer(text).encode(text);
    expect(tokens).toBeInstanceOf(Uint16Array);
    expect([...tokens]).toEqual([...tokens.keys()]);
    expect(characterTokenizer(text.slice(0, 256)).encode("\u4e01")).toEqual(Uint8Array.of(1));
  });

  test("that are unknown are refused with their position", () => {
    const tokenizer = characterTokenizer("ab\n");
    expect(() => tokenizer.encode("ab\nb\u{1f600}")).toThrow(
      new DataError({
        where: "line 2, column 2",
        what: 'the character "\u{1f600}" (U+1F600) has no token',
        fix: "Use characters of the text that the tokenizer was made from, or a tokenizer of bytes",
      }),
    );
    expect(() => tokenizer.encode("é")).toThrow("line 1, column 1: the character");
  });

  test("need a text that a file can store", () => {
    expect(() => characterTokenizer("")).toThrow("the vocabulary has 0 tokens");
    expect(() => characterTokenizer("a\ud800b")).toThrow("half of a surrogate pair");
    expect(() => characterTokenizer(7 as never)).toThrow(OptionError);
  });
});

describe("bytes", () => {
  test("are those of UTF-8", () => {
    const tokenizer = byteTokenizer();
    expect([...tokenizer.encode("aé")]).toEqual([0x61, 0xc3, 0xa9]);
    expect(tokenizer.decode([0xef, 0xbb, 0xbf, 0x61, 0xc3, 0xa9])).toBe("\ufeffaé");
    expect(tokenizer.decode([0x61, 0xc3])).toBe("a\ufffd");
  });
});

// "low" five times, "lower" twice, "newest" six times, "widest" three times: the example of Sennrich et al. 2016.
const example = [
  ...Array<string>(5).fill("low"),
  ...Array<string>(2).fill("lower"),
  ...Array<string>(6).fill("newest"),
  ...Array<string>(3).fill("widest"),
].join("\n");

const mergesOf = ({ config }: Tokenizer) =>
  (config as unknown as { tokenizer: { model: { merges: string[] } } }).tokenizer.model.merges.map((pair) =>
    pair.replace(" ", "+"),
  );

describe("byte pairs", () => {
  test("are merged by their number of occurrences", async () => {
    const tokenizer = await trainBytePairs(example, { vocabularySize: 263 });
    // e+s 9, es+t 9, l+o 7, lo+w 7, e+w 6 and n+e 6 are equal: the smaller symbols come first, and "n" is after "e".
    expect(mergesOf(tokenizer)).toEqual(["e+s", "es+t", "l+o", "lo+w", "e+w", "n+ew", "new+est"]);
    expect(tokenizer.vocabularySize).toBe(263);
    // The printable ASCII characters from "!" on come first, so "e" is 68, "r" is 81 and "w" is 86.
    expect([...tokenizer.encode("lower newest")]).toEqual([259, 68, 81, 220, 262]);
    expect(tokenizer.decode([259, 68, 81, 220, 262])).toBe("lower newest");
  });

  test("give any text back", async () => {
    const tokenizer = await trainBytePairs(example, { vocabularySize: 300 });
    expect(mergesOf(tokenizer).length).toBeLessThan(44);
    for (const text of [" hello  world\n\n\tI'll \u00e9 \u4f60\u597d \u{1f600} <|endoftext|>", "\r\n a ", ""]) {
      const tokens = tokenizer.encode(text);
      expect(tokens).toBeInstanceOf(Uint16Array);
      expect(tokenizer.decode(tokens)).toBe(text);
    }
  });

  test("do not cross words", async () => {
    const tokenizer = await trainBytePairs("ab ab ab ab ab cd cd", { vocabularySize: 300 });
    expect(mergesOf(tokenizer)).toEqual(["a+b", "Ġ+ab", "c+d", "Ġ+cd"]);
    const once = await trainBytePairs("ab ab cd", { vocabularySize: 300, minimumCount: 1 });
    expect(mergesOf(once)).toContain("Ġ+cd");
  });

  test("of a text in parts are those of the whole text", async () => {
    const text = Array.from({ length: 3000 }, (_, index) => "ab \n'c"[(index * index + (index >> 3)) % 6]).join("");
    const parts = [...partsOf(`${text}\n\n  x y\nz`, 10)];
    expect(parts.length).toBeGreaterThan(20);
    expect(parts.join("")).toBe(`${text}\n\n  x y\nz`);
    const tokenizer = await trainBytePairs(text, { vocabularySize: 280 });
    expect(parts.flatMap((part) => [...tokenizer.encode(part)])).toEqual([...tokenizer.encode(parts.join(""))]);
    // Without such a line break, a text is not divided.
    expect([...partsOf("a \n b\n\nc".repeat(9), 10)]).toHaveLength(1);
  });

  test("need a tokenizer.json and numbers in their range", async () => {
    await expect(bytePairTokenizer({ hello: 1 })).rejects.toThrow("this is not the tokenizer.json of a tokenizer");
    await expect(trainBytePairs("", { vocabularySize: 300 })).rejects.toThrow("the text is empty");
    await expect(trainBytePairs("a", { vocabularySize: 255 })).rejects.toThrow("whole number in 256 … 65536");
    await expect(trainBytePairs("a", { vocabularySize: 300, minimumCount: 0 })).rejects.toThrow(OptionError);
  });
});

describe("the config of a tokenizer", () => {
  test.each([
    ["characters", () => characterTokenizer("ba ")],
    ["bytes", () => byteTokenizer()],
    ["byte pairs", () => trainBytePairs(example, { vocabularySize: 260 })],
  ])("of %s is JSON that makes the same tokenizer", async (_, make) => {
    const tokenizer = await make();
    const copy = await tokenizerFromConfig(JSON.parse(JSON.stringify(tokenizer.config)) as TokenizerConfig);
    expect(copy.vocabularySize).toBe(tokenizer.vocabularySize);
    expect(copy.config).toEqual(tokenizer.config);
    expect(copy.encode("ab ba")).toEqual(tokenizer.encode("ab ba"));
  });

  test("keeps the order of its characters", async () => {
    const tokenizer = await tokenizerFromConfig({ type: "characters", characters: "zay" });
    expect([...tokenizer.encode("ayz")]).toEqual([1, 2, 0]);
  });

  test("is refused if it is invalid", async () => {
    await expect(tokenizerFromConfig({ type: "words" } as never)).rejects.toThrow(OptionError);
    await expect(tokenizerFromConfig(null as never)).rejects.toThrow(OptionError);
    await expect(tokenizerFromConfig({ type: "characters", characters: "" })).rejects.toThrow("0 tokens");
    await expect(tokenizerFromConfig({ type: "characters", characters: "aba" })).rejects.toThrow("two tokens");
  });
});

test("a number that is not a token is refused with its position", () => {
  const message = "decode: 3 at position 1 is not a token. Give whole numbers in 0 … 2.";
  expect(() => characterTokenizer("abc").decode([0, 3])).toThrow(
    new OptionError({ where: "decode", what: "3 at position 1 is not a token", fix: "Give whole numbers in 0 … 2" }),
  );
  expect(() => characterTokenizer("abc").decode([0, 3])).toThrow(message);
  expect(() => byteTokenizer().decode([256])).toThrow("256 at position 0");
  expect(() => characterTokenizer("abc").decode([0.5])).toThrow(OptionError);
});
