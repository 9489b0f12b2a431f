import { describe, expect, test } from "vitest";
import { byteTokenizer } from "../../../src/data/text/bytes.ts";
import { characterTokenizer } from "../../../src/data/text/characters.ts";
import { GeneratedText } from "../../../src/train/generate/text.ts";

const characters = characterTokenizer("abcdefghijklmnopqrstuvwxyz \n");

/** The texts that the tokens of a text add, up to a stop text. */
function pieces(text: string, stops: readonly string[] = [], tokenizer = characters): string[] {
  const generated = new GeneratedText(tokenizer, stops);
  const found: string[] = [];
  const tokens = tokenizer.encode(text);
  for (const [place, token] of tokens.entries()) {
    if (generated.isStopped) break;
    found.push(generated.add(token, place === tokens.length - 1));
  }
  return found;
}

describe("the text of tokens", () => {
  test("is returned as soon as it is complete", () => {
    expect(pieces("abc")).toEqual(["a", "b", "c"]);
  });

  test("has whole characters only, but for its end", () => {
    expect(pieces("aé\u{1f600}b", [], byteTokenizer())).toEqual(["a", "", "é", "", "", "", "\u{1f600}", "b"]);
    const generated = new GeneratedText(byteTokenizer(), []);
    expect([generated.add(0x61, false), generated.add(0xc3, true)]).toEqual(["a", "\ufffd"]);
    const broken = new GeneratedText(byteTokenizer(), []);
    expect([broken.add(0xc3, false), broken.add(0x61, false)]).toEqual(["", "\ufffda"]);
  });

  test("ends before a stop text", () => {
    expect(pieces("ab\ncd", ["\n"])).toEqual(["a", "b", ""]);
    expect(pieces("the end of", ["end"]).join("")).toBe("the ");
    expect(pieces("the end of", ["zz", "of", " end"]).join("")).toBe("the");
  });

  test("is held back while it may become a stop text", () => {
    expect(pieces("xababcd", ["abac", "abc"])).toEqual(["x", "", "", "", "ab", ""]);
    expect(pieces("xabd", ["abc"])).toEqual(["x", "", "", "abd"]);
    expect(pieces("xab", ["abc"])).toEqual(["x", "", "ab"]);
  });
});
