import { DataError, excerpt, OptionError } from "../../errors.ts";

/** Tokens as whole numbers: of 8 bits for a vocabulary of at most 256, otherwise of 16 bits. */
export type Tokens = Uint8Array | Uint16Array;

/** The largest vocabulary, since tokens are kept in 16 bits. */
export const LARGEST_VOCABULARY = 2 ** 16;

/** The target at positions without a loss: `answerLoss` and `exactAnswers` leave them out. */
export const IGNORED_TOKEN = 2 ** 32 - 1;

/** A tokenizer as plain JSON, as a model file contains it. */
export type TokenizerConfig =
  /** The characters in the order of their tokens. */
  | { readonly type: "characters"; readonly characters: string }
  | { readonly type: "bytes" }
  /** The contents of a `tokenizer.json` of Hugging Face. */
  | { readonly type: "bytePairs"; readonly tokenizer: object };

/** Whether a value has the form of a tokenizer's config. */
export function isTokenizerConfig(value: unknown): value is TokenizerConfig {
  if (typeof value !== "object" || value === null) return false;
  const { type, characters, tokenizer } = value as Record<string, unknown>;
  if (type === "characters") return typeof characters === "string";
  return type === "bytes" || (type === "bytePairs" && typeof tokenizer === "object" && tokenizer !== null);
}

/** Converts text to tokens, numbers in 0 … vocabularySize − 1, and back. */
export interface Tokenizer {
  /** The number of different tokens. */
  readonly vocabularySize: number;
  readonly config: TokenizerConfig;
  /** @throws DataError with the position, for a character that the tokenizer has no token for */
  encode(text: string): Tokens;
  /**
   * The text of tokens. Bytes that are not valid UTF-8, such as a part of a character, become U+FFFD.
   * @throws OptionError for a number that is not a token
   */
  decode(tokens: ArrayLike<number>): string;
}

/** Memory for tokens of a vocabulary. */
export function newTokens(vocabularySize: number, length: number): Tokens {
  return vocabularySize <= 256 ? new Uint8Array(length) : new Uint16Array(length);
}

/** @throws DataError for a vocabulary that has too many tokens, or none */
export function requireVocabulary(where: string, size: number): void {
  if (size >= 1 && size <= LARGEST_VOCABULARY) return;
  const what = `the vocabulary has ${size} tokens`;
  throw new DataError({ where, what, fix: `Give between 1 and ${LARGEST_VOCABULARY} tokens` });
}

/** @throws OptionError for a number that is not a token */
export function requireTokens(where: string, tokens: ArrayLike<number>, vocabularySize: number): void {
  for (let index = 0; index < tokens.length; index++) {
    const token = tokens[index]!;
    if (Number.isInteger(token) && token >= 0 && token < vocabularySize) continue;
    const what = `${excerpt(token)} at position ${index} is not a token`;
    throw new OptionError({ where, what, fix: `Give whole numbers in 0 … ${vocabularySize - 1}` });
  }
}

/** @throws OptionError for anything but a text */
export function requireText(where: string, text: unknown): asserts text is string {
  if (typeof text === "string") return;
  throw new OptionError({ where, what: `${excerpt(text)} is not a text`, fix: "Give a string" });
}
