import type { SettableOption } from "./declared-option.ts";
import { textOption, wholeNumberOption } from "./options.ts";

/** The options of a cross-validation. */
export interface FoldFlags {
  /** The number of folds. */
  readonly folds?: number;
  /** The file for the predictions of all folds. */
  readonly foldPredictions?: string;
}

/** The options of `FoldFlags`. */
export function foldOptions(): SettableOption[] {
  const facts = { isIdentity: false, suitsText: false, sweep: "none" } as const;
  return [
    wholeNumberOption(
      "--folds <number>",
      "cross-validate: train once per fold on the other folds, and test on the fold (stratified by class)",
      2,
    ).withFacts(facts),
    textOption("--fold-predictions <file>", "write the predictions for all folds, such as FOLDS.csv").withFacts({
      ...facts,
      file: "output",
      needs: ["folds"],
    }),
  ];
}
