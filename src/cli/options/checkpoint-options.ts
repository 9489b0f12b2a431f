/*
 * The options of `wgrad train` for checkpoints.
 */
import { excerpt, OptionError } from "../../errors.ts";
import type { CheckpointOptions } from "../../train/index.ts";
import { SettableOption } from "./declared-option.ts";
import { nameOption, switchOption, textOption, wholeNumberOption } from "./options.ts";

/** Steps or seconds between two checkpoints. */
export type Interval = Pick<CheckpointOptions, "everySteps" | "everySeconds">;

const checkpointErrorChoices = ["continue", "stop"] as const;

export interface CheckpointFlags {
  readonly checkpoint?: string;
  /** The interval between two checkpoints; see `intervalOf`. */
  readonly every: string;
  readonly keep: number;
  readonly resume?: boolean;
  readonly takeOver?: boolean;
  readonly onCheckpointError: (typeof checkpointErrorChoices)[number];
}

/** The options of `CheckpointFlags`, in the order of the help. */
export function checkpointOptions(): SettableOption[] {
  const every = { type: "string", pattern: INTERVAL.source, examples: ["25", "5s"] };
  return [
    textOption(
      "--checkpoint <folder>",
      "save the state of the run to this folder, so that it can be resumed",
    ).withFacts({ file: "output", suitsFolds: false }),
    new SettableOption(
      "--every <interval>",
      "time between checkpoints, in steps (such as 25) or seconds (such as 5s)",
      every,
    )
      .argParser((text) => (intervalOf(text), text))
      .default("30s", "30s"),
    wholeNumberOption("--keep <number>", "number of recent checkpoints to keep, besides the best", 1).default(3),
    switchOption("--resume", "continue from the newest complete checkpoint, if there is one").withFacts({
      suitsFolds: false,
    }),
    switchOption("--take-over", "take over the folder's lock from a process on another host that no longer runs"),
    nameOption("--on-checkpoint-error", "what to do if a checkpoint cannot be written", checkpointErrorChoices, {
      preset: "continue",
    }),
  ].map((option) => option.helpGroup("Checkpoints:").withFacts({ isIdentity: false, sweep: "none" }));
}

/** Steps, such as "25", or seconds, such as "5s" or "0.5s". */
const INTERVAL = /^(?:[1-9]\d*|\d+(?:\.\d+)?s)$/;

/** Parses the value of --every. @throws OptionError for a text that is not an interval */
export function intervalOf(text: string): Interval {
  const value = parseFloat(text);
  if (INTERVAL.test(text) && value > 0) return text.endsWith("s") ? { everySeconds: value } : { everySteps: value };
  throw new OptionError({
    where: "--every",
    what: `${excerpt(text)} is not an interval`,
    fix: "Give a number of steps, such as 25, or of seconds, such as 5s",
  });
}
