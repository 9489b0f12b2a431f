import { DataError, OptionError } from "../../../errors.ts";
import {
  LARGEST_VOCABULARY,
  newTokens,
  requireText,
  requireTokens,
  requireVocabulary,
  type Tokenizer,
  type Tokens,
} from "../tokenizer.ts";
import { byteCharacters, partsOf, piecePattern } from "./alphabet.ts";
import { learnMerges } from "./merges.ts";

const WHERE = "bytePairTokenizer";

/** The encoder of the package @huggingface/tokenizers. */
interface Encoder {
  encode(text: string, options: { add_special_tokens: boolean }): { ids: number[] };
  decode(tokens: number[], options: { skip_special_tokens: boolean; clean_up_tokenization_spaces: boolean }): string;
  get_vocab(): Map<string, number>;
}

/**
 * A tokenizer with the vocabulary and the merges of a `tokenizer.json` of Hugging Face, such as that of GPT-2. The
 * package @huggingface/tokenizers encodes and decodes; it is loaded by the first call. Special tokens are not added.
 * @param tokenizer the parsed JSON
 * @throws DataError for something else, and for a vocabulary of more than 65,536 tokens
 */
export async function bytePairTokenizer(tokenizer: object): Promise<Tokenizer> {
  const { Tokenizer: Library } = await import("@huggingface/tokenizers");
  let encoder: Encoder;
  let vocabularySize: number;
  try {
    encoder = new Library(tokenizer, {});
    vocabularySize = [...encoder.get_vocab().values()].reduce((most, token) => Math.max(most, token), -1) + 1;
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    const what = `this is not the tokenizer.json of a tokenizer: ${reason}`;
    throw new DataError({ where: WHERE, what, fix: "Give the parsed contents of such a file" }, { cause });
  }
  requireVocabulary(WHERE, vocabularySize);
  const divided = isByteLevel(tokenizer);
  return {
    vocabularySize,
    config: { type: "bytePairs", tokenizer },
    encode(text) {
      requireText("encode", text);
      const parts: number[][] = [];
      for (const part of divided ? partsOf(text) : [text])
        parts.push(encoder.encode(part, { add_special_tokens: false }).ids);
      return joined(parts, vocabularySize);
    },
    decode(tokens) {
      requireTokens("decode", tokens, vocabularySize);
      if (tokens.length === 0) return "";
      return encoder.decode(Array.from(tokens), { skip_special_tokens: false, clean_up_tokenization_spaces: false });
    },
  };
}

/** Whether text is divided by GPT-2's pattern and not changed before, so that parts can be encoded apart. */
function isByteLevel(tokenizer: object): boolean {
  const { pre_tokenizer: pieces, normalizer } = tokenizer as Record<string, Record<string, unknown> | null | undefined>;
  return (
    !normalizer && pieces?.["type"] === "ByteLevel" && !pieces["add_prefix_space"] && pieces["use_regex"] !== false
  );
}

function joined(parts: readonly (readonly number[])[], vocabularySize: number): Tokens {
  const tokens = newTokens(
    vocabularySize,
    parts.reduce((total, { length }) => total + length, 0),
  );
  let length = 0;
  for (const part of parts) {
    tokens.set(part, length);
    length += part.length;
  }
  return tokens;
}

/** The options of `trainBytePairs`. */
export interface BytePairOptions {
  /** The number of tokens, from 256 (the bytes) to 65,536. There are fewer if the text has no more pairs to merge. */
  readonly vocabularySize: number;
  /** The fewest occurrences of a pair that is merged; 2 by default. */
  readonly minimumCount?: number;
}

/**
 * Makes a byte-level tokenizer for a text, with GPT-2's division into pieces: 256 bytes, and the pairs that occur most.
 * The library that encodes does not train, so this is our own; it learns the merges of Hugging Face's trainer
 * (`trainers.BpeTrainer` with `initial_alphabet=ByteLevel.alphabet()`).
 *
 * @example
 * ```ts
 * const tokenizer = await trainBytePairs(text, { vocabularySize: 1000 });
 * tokenizer.encode("First Citizen").length; // fewer than 13
 * ```
 *
 * @throws OptionError for a number outside its range; DataError for an empty text
 */
export async function trainBytePairs(
  text: string,
  { vocabularySize, minimumCount = 2 }: BytePairOptions,
): Promise<Tokenizer> {
  requireText("trainBytePairs", text);
  if (text.length === 0)
    throw new DataError({ where: "trainBytePairs", what: "the text is empty", fix: "Give a text" });
  requireRange("vocabularySize", vocabularySize, 256, LARGEST_VOCABULARY);
  requireRange("minimumCount", minimumCount, 1, Number.MAX_SAFE_INTEGER);
  // The tokens of the bytes are in the order of their characters, as in GPT-2's vocabulary.
  const alphabet = [...byteCharacters].sort();
  const tokenOf = byteCharacters.map((character) => alphabet.indexOf(character));
  const words = Array.from(
    countedPieces(text),
    ([piece, count]) => [Array.from(new TextEncoder().encode(piece), (byte) => tokenOf[byte]!), count] as const,
  );
  const merges = learnMerges(words, { symbols: 256, wanted: vocabularySize - 256, minimumCount });
  const vocabulary = [...alphabet];
  for (const [left, right] of merges) vocabulary.push(vocabulary[left]! + vocabulary[right]!);
  return bytePairTokenizer(
    tokenizerJson(
      vocabulary,
      merges.map(([left, right]) => `${vocabulary[left]!} ${vocabulary[right]!}`),
    ),
  );
}

function requireRange(where: string, value: number, least: number, most: number): void {
  if (Number.isSafeInteger(value) && value >= least && value <= most) return;
  throw new OptionError({ where, what: `${value} is out of range`, fix: `Give a whole number in ${least} … ${most}` });
}

function countedPieces(text: string): Map<string, number> {
  const counts = new Map<string, number>();
  for (const part of partsOf(text))
    for (const [piece] of part.matchAll(piecePattern)) counts.set(piece, (counts.get(piece) ?? 0) + 1);
  return counts;
}

/** A file that Hugging Face's libraries read. */
function tokenizerJson(vocabulary: readonly string[], merges: readonly string[]): object {
  const byteLevel = { type: "ByteLevel", add_prefix_space: false, trim_offsets: true, use_regex: true };
  return {
    version: "1.0",
    truncation: null,
    padding: null,
    added_tokens: [],
    normalizer: null,
    pre_tokenizer: byteLevel,
    post_processor: null,
    decoder: byteLevel,
    model: {
      type: "BPE",
      dropout: null,
      unk_token: null,
      continuing_subword_prefix: null,
      end_of_word_suffix: null,
      fuse_unk: false,
      byte_fallback: false,
      ignore_merges: false,
      vocab: Object.fromEntries(vocabulary.map((token, index) => [token, index])),
      merges,
    },
  };
}
