import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { partsText } from "../../../src/cli/data/data-source.ts";
import { loadTextSource } from "../../../src/cli/data/text-source.ts";
import type { TextFlags } from "../../../src/cli/options/text-options.ts";
import { measureLanguage } from "../../../src/train/measurement.ts";
import { byteTokenizer } from "../../../src/data/text/bytes.ts";
import { makeTextDataset } from "../../../src/data/text/dataset.ts";
import { temporaryFolder } from "../built-cli.ts";

const folder = temporaryFolder();
afterAll(() => folder.remove());
const inFolder = (name: string) => join(folder.path, name);

function written(name: string, contents: string | Uint8Array): string {
  writeFileSync(inFolder(name), contents);
  return inFolder(name);
}

const load = (path: string, flags: TextFlags & { validation?: number } = {}) =>
  loadTextSource(path, { splitSeed: 1, ...flags });

describe("a text", () => {
  test("holds out its end, a tenth by default", async () => {
    const path = written("t.txt", "abcdefghij".repeat(20));
    const source = await load(path, { context: 4 });
    expect(partsText(source)).toBe("180 tokens for training, 20 for validation");
    expect(source.notes).toEqual(["text      10 different characters, windows of 4 tokens"]);
    expect(source.train.tokenizer.decode(source.validation!.tokens)).toBe("abcdefghij".repeat(2));
    expect(await load(path, { context: 4, validation: 0 })).toMatchObject({ validation: undefined });
    expect((await load(path, { validation: 0 })).train.context).toBe(64);
  });

  test("is divided into lines or files, each with a line break at its end", async () => {
    const path = written("names.txt", "ann\r\nbob\n\neve\n");
    const lines = await load(path, { context: 2, textLines: true, validation: 0 });
    expect(lines.train.tokenizer.decode(lines.train.tokens)).toBe("ann\nbob\neve\n");
    expect(lines.notes).toEqual(["text      3 documents, 7 different characters, windows of 2 tokens"]);
    mkdirSync(inFolder("corpus/more"), { recursive: true });
    for (const [name, text] of [
      ["b.txt", "two"],
      ["more/c.txt", "three"],
      ["a.md", "none"],
    ])
      written(join("corpus", name!), text!);
    const files = await load(inFolder("corpus"), { context: 2, validation: 0 });
    expect(files.train.tokenizer.decode(files.train.tokens)).toBe("two\nthree\n");
  });

  test("becomes bytes, or byte pairs of the size of the vocabulary", async () => {
    const path = written("é.txt", "le café de la gare, le café\n".repeat(8));
    const bytes = await load(path, { context: 4, tokenizer: "bytes", validation: 0 });
    expect(bytes.train.tokens).toHaveLength(8 * 30);
    expect(bytes.notes).toEqual(["text      256 bytes, windows of 4 tokens"]);
    const pairs = await load(path, { context: 4, tokenizer: "bpe", vocabulary: 260, validation: 0 });
    expect(pairs.train.tokenizer.vocabularySize).toBe(260);
    expect(pairs.train.tokens.length).toBeLessThan(8 * 28);
  });
});

describe("is refused:", () => {
  test.each<[string, string | Uint8Array, TextFlags, RegExp]>([
    ["an empty file", "", {}, /: the file is empty\. Give a file with text\.$/],
    ["one character", "x", {}, /: the text has 1 token, and a context of 64 needs at least 65\./],
    [
      "a text shorter than the context",
      "ab".repeat(9),
      { context: 18 },
      /: the text has 18 tokens, and a context of 18/,
    ],
    [
      "a validation text shorter than the context",
      "ab".repeat(40),
      { context: 16 },
      /, validation: the text has 8 tokens/,
    ],
    ["empty lines", "\n\n", { textLines: true }, /: the text has only empty lines\. Give lines of text\.$/],
    ["bytes that are not UTF-8", Uint8Array.of(97, 0xff, 98), {}, /: the byte 0xff at offset 1 is not valid UTF-8/],
    [
      "a size for a vocabulary that has one",
      "ab".repeat(40),
      { tokenizer: "bytes", vocabulary: 300 },
      /^--vocabulary: the vocabulary of bytes has its own size\. Omit this option, or use --tokenizer bpe\.$/,
    ],
  ])("%s", async (_, contents, flags, message) => {
    await expect(load(written("bad.txt", contents), flags)).rejects.toThrow(message);
  });

  test("a missing file, and a folder without text files", async () => {
    await expect(load(inFolder("nowhere.txt"))).rejects.toThrow(/nowhere\.txt: cannot be read: no such file/);
    mkdirSync(inFolder("empty"), { recursive: true });
    await expect(load(inFolder("empty"))).rejects.toThrow(/empty: the folder has no files whose names end in \.txt/);
  });
});

test("bits per character count the characters, not the tokens", () => {
  // 4 characters, 7 bytes.
  const text = makeTextDataset({ text: "aé→b", tokenizer: byteTokenizer(), context: 2 });
  const { perplexity, bitsPerCharacter } = measureLanguage(Math.LN2, text);
  expect(perplexity).toBeCloseTo(2, 12);
  expect(bitsPerCharacter).toBeCloseTo(7 / 4, 12);
});
