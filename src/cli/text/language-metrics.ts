/*
 * What texts consist of, in words.
 */
import type { Tokenizer } from "../../data/text/tokenizer.ts";
import { counted } from "./text.ts";

/** The names of tokens by the kind of tokenizer. */
const tokenNames = { characters: "different character", bytes: "byte", bytePairs: "byte pair" } as const;

/** A tokenizer in words, such as "65 different characters". */
export const tokenizerText = ({ config, vocabularySize }: Tokenizer): string =>
  counted(vocabularySize, tokenNames[config.type]);
