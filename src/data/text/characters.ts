import { DataError } from "../../errors.ts";
import { newTokens, requireText, requireTokens, requireVocabulary, type Tokenizer } from "./tokenizer.ts";

const WHERE = "characterTokenizer";

/** Marks a character without a token. */
const NONE = -1;

/**
 * A tokenizer with a token for each different character (Unicode code point) of a text, in the order of their code
 * points, as in nanoGPT's `shakespeare_char`. Text with other characters is refused.
 *
 * @example
 * ```ts
 * const tokenizer = characterTokenizer("hello");
 * tokenizer.encode("hole"); // 1, 3, 2, 0: the characters are "e", "h", "l", "o"
 * ```
 *
 * @param text a text that contains all characters, such as the training text
 * @throws DataError for a text without characters, or with half of a surrogate pair
 */
export function characterTokenizer(text: string): Tokenizer {
  requireText(WHERE, text);
  const found = new Uint8Array(0x110000);
  for (let index = 0; index < text.length;) {
    const point = text.codePointAt(index)!;
    found[point] = 1;
    index += point > 0xffff ? 2 : 1;
  }
  if (found.subarray(0xd800, 0xe000).includes(1)) {
    const what = "the text contains half of a surrogate pair, which no file can store";
    throw new DataError({ where: WHERE, what, fix: "Decode the text from UTF-8" });
  }
  const points: number[] = [];
  for (let point = found.indexOf(1); point >= 0; point = found.indexOf(1, point + 1)) points.push(point);
  return tokenizerOf(points.map((point) => String.fromCodePoint(point)));
}

/** The tokenizer of a config. Its characters keep their order. */
export function tokenizerOfCharacters(characters: string): Tokenizer {
  requireText(WHERE, characters);
  const list = [...characters];
  if (new Set(list).size < list.length) {
    const what = "a character has two tokens";
    throw new DataError({ where: WHERE, what, fix: "Give each character once" });
  }
  return tokenizerOf(list);
}

function tokenizerOf(characters: readonly string[]): Tokenizer {
  const vocabularySize = characters.length;
  requireVocabulary(WHERE, vocabularySize);
  const points = characters.map((character) => character.codePointAt(0)!);
  const tokenOf = new Int32Array(points.reduce((most, point) => Math.max(most, point), 0) + 1).fill(NONE);
  points.forEach((point, token) => (tokenOf[point] = token));
  return {
    vocabularySize,
    config: { type: "characters", characters: characters.join("") },
    encode(text) {
      requireText("encode", text);
      const tokens = newTokens(vocabularySize, text.length);
      let length = 0;
      for (let index = 0; index < text.length; length++) {
        const point = text.codePointAt(index)!;
        const token = tokenOf[point] ?? NONE;
        if (token === NONE) throw unknownCharacter(text, index, point);
        tokens[length] = token;
        index += point > 0xffff ? 2 : 1;
      }
      return length === tokens.length ? tokens : tokens.slice(0, length);
    },
    decode(tokens) {
      requireTokens("decode", tokens, vocabularySize);
      let text = "";
      for (let index = 0; index < tokens.length; index++) text += characters[tokens[index]!]!;
      return text;
    },
  };
}

function unknownCharacter(text: string, index: number, point: number): DataError {
  const before = text.slice(0, index);
  const line = before.split("\n").length;
  const column = Array.from(before.slice(before.lastIndexOf("\n") + 1)).length + 1;
  const code = `U+${point.toString(16).toUpperCase().padStart(4, "0")}`;
  return new DataError({
    where: `line ${line}, column ${column}`,
    what: `the character ${JSON.stringify(String.fromCodePoint(point))} (${code}) has no token`,
    fix: "Use characters of the text that the tokenizer was made from, or a tokenizer of bytes",
  });
}
