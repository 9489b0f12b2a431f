/*
 * Models that were trained on text.
 */
import { tokenizerFromConfig } from "../../data/text/config.ts";
import type { Tokenizer } from "../../data/text/tokenizer.ts";
import { DataError, OptionError } from "../../errors.ts";
import type { TrainedModel } from "../../node/index.ts";

/**
 * The tokenizer of a model.
 * @param path the model's file, for messages
 * @throws OptionError for a model that was not trained on text
 */
export async function tokenizerOf({ tokenizer }: TrainedModel, path: string): Promise<Tokenizer> {
  if (tokenizer) return tokenizerFromConfig(tokenizer);
  const what = "the model was not trained on text, and has no tokenizer";
  throw new OptionError({ where: path, what, fix: "Give a model that `wgrad train --text` wrote" });
}

/** What a generated text starts from if nothing else is given: a line break, or the first token if there is none. */
export function usualPrompt(tokenizer: Tokenizer): string {
  const lineBreak = "\n";
  try {
    tokenizer.encode(lineBreak);
    return lineBreak;
  } catch (error) {
    if (!(error instanceof DataError)) throw error;
    return tokenizer.decode([0]);
  }
}
