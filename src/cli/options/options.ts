/*
 * Constructors for options by the type of their values, and the options that several commands share.
 */
import type { Command } from "commander";
import { excerpt, OptionError } from "../../errors.ts";
import { adagrad, adam, adamW, lion, momentum, muon, nesterov, rmsprop, sgd } from "../../nn/optimizers.ts";
import { constant, cosine, cosineRestarts, exponential, linear, oneCycle, step } from "../../nn/schedules.ts";
import { deviceChoices } from "../../node/index.ts";
import { DeclaredOption, SettableOption } from "./declared-option.ts";
import { atLeastZero, columnList, oneOf, positiveNumber, wholeNumber } from "./parsers.ts";

/** Optimizers by name; called without options, they use their defaults. */
export const optimizers = { sgd, momentum, nesterov, rmsprop, adagrad, adam, adamW, lion, muon } as const;

/** The optimizers with weight decay. */
export const decayingOptimizers = { adamW, lion, muon } as const;

/** The optimizers with a second moment. */
export const adams = { adam, adamW } as const;

/** Learning-rate schedules by name; called without options, they use their defaults. */
export const schedules = { constant, step, exponential, linear, cosine, cosineRestarts, oneCycle } as const;

export type OptimizerName = keyof typeof optimizers;

export type ScheduleName = keyof typeof schedules;

/** The names in a table. */
export const namesOf = <Name extends string>(table: Readonly<Record<Name, unknown>>) => Object.keys(table) as Name[];

/** Makes a command refuse an option that is given twice: Commander would ignore the first value. */
export function refuseRepeats(command: Command): void {
  const given = new Set<string>();
  for (const option of command.options) {
    const name = option.attributeName();
    if (option instanceof DeclaredOption && option.facts.isRepeatable) continue;
    command.on(`option:${option.name()}`, () => {
      if (given.has(name))
        throw new OptionError({
          where: option.long ?? option.flags,
          what: "this option, or its negation, is given twice",
          fix: "Give it once",
        });
      given.add(name);
    });
  }
}

const flagOf = (flags: string) => /--[\w-]+/.exec(flags)![0];

/** An option whose value is a whole number of at least `least`, and at most `most` if given. */
export function wholeNumberOption(flags: string, description: string, least: number, most?: number): SettableOption {
  const schema = { type: "integer", minimum: least, ...(most !== undefined && { maximum: most }) };
  return new SettableOption(flags, description, schema).argParser(wholeNumber(flagOf(flags), least, most));
}

/** An option whose value is a finite number above 0. */
export function positiveOption(flags: string, description: string): SettableOption {
  return new SettableOption(flags, description, { type: "number", exclusiveMinimum: 0 }).argParser(
    positiveNumber(flagOf(flags)),
  );
}

/** An option whose value is a finite number of at least 0. */
export function atLeastZeroOption(flags: string, description: string): SettableOption {
  return new SettableOption(flags, description, { type: "number", minimum: 0 }).argParser(atLeastZero(flagOf(flags)));
}

/** An option whose value is a number in [0, 1). */
export function shareOption(flags: string, description: string): SettableOption {
  const schema = { type: "number", minimum: 0, exclusiveMaximum: 1 };
  return new SettableOption(flags, description, schema).argParser((text) => {
    const value = Number(text);
    if (text.trim() !== "" && value >= 0 && value < 1) return value;
    throw new OptionError({
      where: flagOf(flags),
      what: `${excerpt(text)} is out of range`,
      fix: "Give a number in [0, 1), such as 0.1",
    });
  });
}

/**
 * An option whose value is one of several names, which the help lists.
 * @param note follows the names in the help
 */
export function nameOption<Name extends string>(
  flag: string,
  what: string,
  names: readonly Name[],
  { preset, note = "" }: { preset?: Name; note?: string } = {},
): SettableOption {
  const description = `${what}: ${names.join(", ")}${note}`;
  const option = new SettableOption(`${flag} <name>`, description, { enum: names }).argParser(oneOf(flag, names));
  return preset === undefined ? option : option.default(preset, preset);
}

export function textOption(flags: string, description: string): SettableOption {
  return new SettableOption(flags, description, { type: "string", minLength: 1 });
}

export function switchOption(flags: string, description: string): SettableOption {
  return new SettableOption(flags, description, { type: "boolean" });
}

export function columnsOption(flags: string, description: string): SettableOption {
  return new SettableOption(flags, description, { type: "array", items: { type: "string" } }).argParser(columnList);
}

export function scheduleOption(): SettableOption {
  return nameOption("--schedule", "learning-rate schedule", namesOf(schedules), { preset: "cosine" });
}

/** Facts of options that select the data. A resumed run needs the same contents, but may read them from another path. */
export const sourceFacts = { isIdentity: false, selectsData: true, sweep: "shared" } as const;

/** --data, for commands that read the data set. */
export function dataOption(): SettableOption {
  return textOption(
    "--data <folder>",
    "folder with the four MNIST files (default: MNIST_DIR, then data/mnist, then a download, then built-in digits)",
  ).withFacts({ ...sourceFacts, libraryNames: ["directory"] });
}

/** --device, for commands that compute. */
export function deviceOption(): SettableOption {
  return nameOption("--device", "device", deviceChoices, {
    preset: "auto",
    note: "; auto uses WebAssembly on the CPU (wasm) if there is no GPU",
  }).withFacts({
    isIdentity: false,
    sweep: "shared",
  });
}
