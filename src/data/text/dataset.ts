import { DataError, excerpt, OptionError } from "../../errors.ts";
import { Random } from "../../random.ts";
import { newTokens, requireText, requireTokens, type Tokenizer, type Tokens } from "./tokenizer.ts";

/**
 * Text for training: windows of `context` tokens, each with the tokens that follow them by one. A batch has the tensors
 * `tokens` and `targets`, uint32 [batch, context].
 */
export interface TextDataset {
  /** A name for messages. */
  readonly name: string;
  /** All tokens, one after another. */
  readonly tokens: Tokens;
  readonly tokenizer: Tokenizer;
  /** Tokens per window. */
  readonly context: number;
  /**
   * The number of windows that follow each other without overlap, ⌊(tokens − 1) / context⌋. Evaluation uses these. A
   * training step draws windows at random positions, and an epoch has as many steps as this number fills.
   */
  readonly count: number;
  /** The position of the first token of each document; absent for a single text. */
  readonly documents?: Uint32Array;
}

/** The options of `makeTextDataset`: a text, or documents. */
export type TextOptions = {
  /** A name for messages; "text" by default. */
  readonly name?: string;
  readonly tokenizer: Tokenizer;
  /** Tokens per window, at least 1. */
  readonly context: number;
} & (
  | { readonly text: string }
  | {
      /** Texts that belong together, such as names or files. */
      readonly documents: readonly string[];
      /** Ends each document; a line break by default. The tokenizer must have a token for it. */
      readonly separator?: string;
    }
);

/**
 * Makes a data set of a text or of documents, which are put one after another, each with the separator at its end.
 *
 * @example
 * ```ts
 * const tokenizer = characterTokenizer(text);
 * const dataset = makeTextDataset({ text, tokenizer, context: 64 });
 * const { train, validation } = splitText(dataset, { validation: 0.1 });
 * ```
 *
 * @throws DataError for an empty text or one of at most `context` tokens, and for characters without a token; OptionError
 * for an invalid context
 */
export function makeTextDataset(options: TextOptions): TextDataset {
  const { name = "text", tokenizer, context } = options;
  if (!(Number.isSafeInteger(context) && context >= 1)) {
    const what = `${excerpt(context)} is not a number of tokens`;
    throw new OptionError({ where: "context", what, fix: "Give a whole number of at least 1" });
  }
  if ("text" in options) {
    requireText("text", options.text);
    if (options.text === "") throw empty(name);
    return datasetOf({ name, tokenizer, context, tokens: encoded(tokenizer, options.text, name) });
  }
  const { documents, separator = "\n" } = options;
  if (!Array.isArray(documents)) {
    const what = `${excerpt(documents)} is not a list of documents`;
    throw new OptionError({ where: "documents", what, fix: "Give a list of texts, or text" });
  }
  if (documents.every((document) => document === "")) throw empty(name);
  const parts = documents.map((document, index) =>
    encoded(tokenizer, `${document}${separator}`, `${name}, document ${index}`),
  );
  return datasetOf({ name, tokenizer, context, ...concatenated(parts, tokenizer.vocabularySize) });
}

const empty = (where: string) => new DataError({ where, what: "the text is empty", fix: "Give a text" });

/** The tokens of a text; errors name the text. */
function encoded(tokenizer: Tokenizer, text: string, name: string): Tokens {
  try {
    return tokenizer.encode(text);
  } catch (cause) {
    if (!(cause instanceof DataError)) throw cause;
    const { what, where, fix } = cause;
    throw new DataError({ where: `${name}, ${where}`, what, fix }, { cause });
  }
}

function concatenated(parts: readonly Tokens[], vocabularySize: number): Pick<TextDataset, "tokens" | "documents"> {
  const tokens = newTokens(
    vocabularySize,
    parts.reduce((total, { length }) => total + length, 0),
  );
  const documents = new Uint32Array(parts.length);
  let position = 0;
  parts.forEach((part, index) => {
    documents[index] = position;
    tokens.set(part, position);
    position += part.length;
  });
  return { tokens, documents };
}

/**
 * A data set of tokens that were made before, such as those of `makeTextDataset` on another machine.
 * @throws OptionError for tokens that the tokenizer does not have; DataError for too few tokens, and for documents that do not
 * follow each other from the first token on
 */
export function textDatasetOfTokens(parts: Omit<TextDataset, "count">): TextDataset {
  const { name, tokens, tokenizer, documents } = parts;
  requireTokens(name, tokens, tokenizer.vocabularySize);
  const wrong = documents?.findIndex((first, index) => first < (documents[index - 1] ?? 0) || first > tokens.length);
  if (documents && (wrong !== -1 || documents[0] !== 0))
    throw new DataError({ where: name, what: "the documents do not follow each other", fix: "Give each its position" });
  return datasetOf(parts);
}

/** @throws DataError if there are not enough tokens for one window and the token after it */
function datasetOf(parts: Omit<TextDataset, "count">): TextDataset {
  const { name, tokens, context } = parts;
  const count = Math.floor((tokens.length - 1) / context);
  if (count >= 1) return { ...parts, count };
  const number = tokens.length === 1 ? "1 token" : `${tokens.length} tokens`;
  const what = `the text has ${number}, and a context of ${context} needs at least ${context + 1}`;
  throw new DataError({ where: name, what, fix: "Give more text, or a smaller context" });
}

/** The options of `splitText`. */
export interface SplitTextOptions {
  /** The fraction of the tokens, or of the documents, in the validation set, in (0, 1). */
  readonly validation: number;
  /** The seed of the choice of documents; 1 by default. Not used for a single text. */
  readonly seed?: number;
}

/** Separates the random choice of documents ("ds") from other uses of the same seed. */
const splitStream = 0x6473;

/**
 * Splits a text into a training set and a validation set: a single text by position, with the validation text at its
 * end; documents at random, each as a whole, in their order.
 * @throws OptionError for a fraction outside (0, 1); DataError if a part has no window
 */
export function splitText(
  data: TextDataset,
  { validation, seed = 1 }: SplitTextOptions,
): { readonly train: TextDataset; readonly validation: TextDataset } {
  if (!(validation > 0 && validation < 1)) {
    const fix = "Give a number in (0, 1), such as 0.1";
    throw new OptionError({ where: "validation", what: `${excerpt(validation)} is not a fraction`, fix });
  }
  const { name, tokens, documents } = data;
  const held = `${name}, validation`;
  if (!documents) {
    const end = Math.floor((1 - validation) * tokens.length);
    return {
      train: datasetOf({ ...data, tokens: tokens.subarray(0, end) }),
      validation: datasetOf({ ...data, name: held, tokens: tokens.subarray(end) }),
    };
  }
  const chosen = new Set(
    new Random(splitStream, seed).permutation(documents.length).subarray(0, Math.round(validation * documents.length)),
  );
  const partOf = (own: string, isOwn: (document: number) => boolean) => {
    const parts = Array.from(documents.keys())
      .filter(isOwn)
      .map((document) => tokens.subarray(documents[document]!, documents[document + 1] ?? tokens.length));
    return datasetOf({ ...data, name: own, ...concatenated(parts, data.tokenizer.vocabularySize) });
  };
  return {
    train: partOf(name, (document) => !chosen.has(document)),
    validation: partOf(held, (document) => chosen.has(document)),
  };
}
