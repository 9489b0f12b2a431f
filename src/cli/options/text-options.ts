/*
 * The options for training on text.
 */
import { LARGEST_VOCABULARY } from "../../data/text/tokenizer.ts";
import type { SettableOption } from "./declared-option.ts";
import { nameOption, switchOption, wholeNumberOption } from "./options.ts";

const tokenizerNames = ["characters", "bytes", "bpe"] as const;

/** A kind of tokenizer on the command line. */
export type TokenizerName = (typeof tokenizerNames)[number];

/** How a text becomes tokens. */
export interface TextFlags {
  /** A text file, or a folder. */
  readonly text?: string;
  readonly textLines?: boolean;
  /** By default `CONTEXT`. */
  readonly context?: number;
  /** By default `TOKENIZER`. */
  readonly tokenizer?: TokenizerName;
  /** By default `VOCABULARY`. */
  readonly vocabulary?: number;
}

/** When samples of generated text are shown. */
export interface SampleFlags {
  /** Steps between two samples; 0 for none. By default a fifth of the run. */
  readonly sampleEvery?: number;
}

/** The default tokenizer. */
export const TOKENIZER: TokenizerName = "characters";

/** The default number of tokens of a window, as for nanoGPT on a CPU. */
export const CONTEXT = 64;

/** The default number of tokens of byte-pair encoding. */
export const VOCABULARY = 1024;

/** The options that go with --text. */
export function textOptions(): SettableOption[] {
  const selects = [
    switchOption("--text-lines", "each line is a document of its own, such as a name (default: each file)").withFacts({
      sweep: "shared",
    }),
    wholeNumberOption(
      "--context <tokens>",
      `tokens of a window, from which the next token is predicted (default: ${CONTEXT})`,
      1,
    ),
    // The losses of different tokens cannot be compared.
    nameOption("--tokenizer", "what the tokens are", tokenizerNames, {
      note: `; bpe learns byte pairs from the text (default: ${TOKENIZER})`,
    }).withFacts({ sweep: "shared" }),
    wholeNumberOption(
      "--vocabulary <tokens>",
      `number of tokens of --tokenizer bpe (default: ${VOCABULARY})`,
      256,
      LARGEST_VOCABULARY,
    ).withFacts({ sweep: "shared", needs: ["tokenizer"] }),
  ].map((option) => option.withFacts({ selectsData: true }));
  const sampleEvery = wholeNumberOption(
    "--sample-every <steps>",
    "steps between two samples of generated text, 0 for none (default: a fifth of the run)",
    0,
  ).withFacts({ isIdentity: false, sweep: "none" });
  return [...selects, sampleEvery].map((option) =>
    option.withFacts({ needs: ["text", ...option.facts.needs] }).helpGroup("Text:"),
  );
}
