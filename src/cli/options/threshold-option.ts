import { excerpt, OptionError } from "../../errors.ts";
import { SettableOption } from "./declared-option.ts";

export interface ThresholdFlags {
  /** The probability from which the second of two classes is predicted. */
  readonly threshold?: number;
}

/**
 * --threshold, for models of two classes.
 * @param preset the default, for the help
 */
export function thresholdOption(preset: string): SettableOption {
  const description = `of two classes, predict the second from this probability on (default: ${preset})`;
  const schema = { type: "number", exclusiveMinimum: 0, exclusiveMaximum: 1 };
  return new SettableOption("--threshold <probability>", description, schema)
    .argParser((text) => {
      const value = Number(text);
      if (value > 0 && value < 1) return value;
      throw new OptionError({
        where: "--threshold",
        what: `${excerpt(text)} is out of range`,
        fix: "Give a number in (0, 1), such as 0.3",
      });
    })
    .withFacts({ isIdentity: false, suitsText: false, sweep: "none" });
}
