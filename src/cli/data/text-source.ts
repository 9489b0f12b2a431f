/*
 * Text for training: a file, the files of a folder, or lines.
 */
import { stat } from "node:fs/promises";
import { byteTokenizer } from "../../data/text/bytes.ts";
import { trainBytePairs } from "../../data/text/byte-pairs/index.ts";
import { characterTokenizer } from "../../data/text/characters.ts";
import { makeTextDataset, splitText, type TextDataset } from "../../data/text/dataset.ts";
import type { Tokenizer } from "../../data/text/tokenizer.ts";
import { DataError, OptionError } from "../../errors.ts";
import { readDocuments, readText } from "../../node/index.ts";
import { TEXT_VALIDATION } from "../options/defaults.ts";
import { CONTEXT, TOKENIZER, VOCABULARY, type TextFlags, type TokenizerName } from "../options/text-options.ts";
import { tokenizerText } from "../text/language-metrics.ts";
import { counted, field } from "../text/text.ts";
import type { SourceParts } from "./data-source.ts";

/** A text that a network is trained and evaluated on. */
export interface TextSource extends SourceParts<TextDataset> {
  readonly kind: "text";
  readonly table: undefined;
}

/** The text of a source, or its documents. */
type Texts = { readonly text: string } | { readonly documents: readonly string[] };

/** The separator of documents. */
const SEPARATOR = "\n";

/** All characters of texts, with the separators of documents. */
const joined = (texts: Texts): string =>
  "text" in texts ? texts.text : texts.documents.map((document) => document + SEPARATOR).join("");

/**
 * Reads a text file, the text files of a folder as documents, or lines as documents.
 * @throws DataError for files that cannot be read, are empty or are not UTF-8, and for a folder without text files
 */
async function readTexts(path: string, lines: boolean): Promise<Texts> {
  const isFolder = (await stat(path).catch(() => undefined))?.isDirectory() ?? false;
  if (!lines && !isFolder) return { text: await readText(path) };
  const documents = await readDocuments(path, { lines });
  if (documents.length > 0) return { documents };
  throw new DataError({ where: path, what: "the text has only empty lines", fix: "Give lines of text" });
}

const makeTokenizer: Readonly<Record<TokenizerName, (text: string, vocabulary: number) => Promise<Tokenizer>>> = {
  characters: (text) => Promise.resolve(characterTokenizer(text)),
  bytes: () => Promise.resolve(byteTokenizer()),
  bpe: (text, vocabularySize) => trainBytePairs(text, { vocabularySize }),
};

type Flags = TextFlags & { readonly validation?: number; readonly splitSeed: number };

/**
 * Reads the text that the options select, and makes its tokens.
 * @throws DataError for invalid files, and for a text that is shorter than the context; OptionError for options that do
 * not fit together
 */
export async function loadTextSource(path: string, flags: Flags): Promise<TextSource> {
  const { textLines = false, context = CONTEXT, tokenizer: kind = TOKENIZER, vocabulary } = flags;
  if (vocabulary !== undefined && kind !== "bpe") {
    const what = `the vocabulary of ${kind} has its own size`;
    throw new OptionError({ where: "--vocabulary", what, fix: "Omit this option, or use --tokenizer bpe" });
  }
  const texts = await readTexts(path, textLines);
  const tokenizer = await makeTokenizer[kind](joined(texts), vocabulary ?? VOCABULARY);
  const all = makeTextDataset({ name: path, tokenizer, context, ...texts });
  const { validation = TEXT_VALIDATION, splitSeed } = flags;
  const parts =
    validation > 0 ? splitText(all, { validation, seed: splitSeed }) : { train: all, validation: undefined };
  const documents = all.documents ? `${counted(all.documents.length, "document")}, ` : "";
  return {
    kind: "text",
    source: path,
    ...parts,
    test: undefined,
    table: undefined,
    notes: field("text", `${documents}${tokenizerText(tokenizer)}, windows of ${counted(context, "token")}`),
    warnings: [],
  };
}

/** Reads a text for the evaluation of a model. @throws DataError, as `loadTextSource` does, and for characters without a token */
export async function readTextFor(path: string, tokenizer: Tokenizer, context: number): Promise<TextDataset> {
  return makeTextDataset({ name: path, tokenizer, context, ...(await readTexts(path, false)) });
}
