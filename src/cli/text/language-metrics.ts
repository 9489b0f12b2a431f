/*
 * What a language model is measured by.
 */
import type { TextDataset } from "../../data/text/dataset.ts";
import type { Tokenizer } from "../../data/text/tokenizer.ts";
import { bitsPerCharacter, perplexity } from "../../nn/metrics.ts";
import { counted } from "./text.ts";

/** The loss of a language model in other units. */
export interface LanguageMetrics {
  /** e to the loss of a token. */
  readonly perplexity: number;
  readonly bitsPerCharacter: number;
}

/** The metrics of a model with a mean loss per token, in nats, on a text. */
export const measureLanguage = (loss: number, text: TextDataset): LanguageMetrics => ({
  perplexity: perplexity(loss),
  bitsPerCharacter: bitsPerCharacter(loss, tokensPerCharacter(text)),
});

function tokensPerCharacter({ tokens, tokenizer }: TextDataset): number {
  if (tokenizer.config.type === "characters") return 1;
  let characters = 0;
  for (const _ of tokenizer.decode(tokens)) characters++;
  return tokens.length / characters;
}

/** The names of tokens by the kind of tokenizer. */
const tokenNames = { characters: "different character", bytes: "byte", bytePairs: "byte pair" } as const;

/** A tokenizer in words, such as "65 different characters". */
export const tokenizerText = ({ config, vocabularySize }: Tokenizer): string =>
  counted(vocabularySize, tokenNames[config.type]);
