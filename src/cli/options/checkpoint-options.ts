/*
 * The options of checkpoints.
 */
import { excerpt, OptionError } from "../../errors.ts";
import type { CheckpointOptions } from "../../train/index.ts";
import { SettableOption } from "./declared-option.ts";
import { nameOption, switchOption, textOption, wholeNumberOption } from "./options.ts";

/** Steps or seconds from one checkpoint to the next. */
export type Interval = Pick<CheckpointOptions, "everySteps" | "everySeconds">;

const checkpointErrorChoices = ["continue", "stop"] as const;

export interface CheckpointFlags {
  readonly checkpoint?: string;
  /** See `intervalOf`. */
  readonly every: string;
  readonly keep: number;
  readonly resume?: boolean;
  readonly takeOver?: boolean;
  readonly onCheckpointError: (typeof checkpointErrorChoices)[number];
}

/** The options of `CheckpointFlags`, for a command's help in this order. */
export function checkpointOptions(): SettableOption[] {
  const every = { type: "string", pattern: INTERVAL.source };
  return [
    textOption("--checkpoint <folder>", "keep the state of the run there, to go on from").withFacts({ file: "output" }),
    new SettableOption("--every <interval>", "steps, such as 25, or seconds, such as 5s, from one to the next", every)
      .argParser((text) => (intervalOf(text), text))
      .default("30s", "30s"),
    wholeNumberOption("--keep <number>", "how many of the last ones stay, besides the best", 1).default(3),
    switchOption("--resume", "go on from the newest whole one, if there is any"),
    switchOption("--take-over", "take over the folder's lock from a process of another host that no longer runs"),
    nameOption("--on-checkpoint-error", "when one cannot be written", checkpointErrorChoices, "continue"),
  ].map((option) => option.helpGroup("Checkpoints:").withFacts({ isIdentity: false, sweep: "none" }));
}

/** Steps, "25", or seconds, "5s" or "0.5s". */
const INTERVAL = /^(?:[1-9]\d*|\d+(?:\.\d+)?s)$/;

/** @throws OptionError for a text that is no interval */
export function intervalOf(text: string): Interval {
  const value = parseFloat(text);
  if (INTERVAL.test(text) && value > 0) return text.endsWith("s") ? { everySeconds: value } : { everySteps: value };
  const what = `${excerpt(text)} is no interval`;
  throw new OptionError({
    where: "--every",
    what,
    fix: "Give a whole number of steps, such as 25, or seconds, such as 5s",
  });
}
