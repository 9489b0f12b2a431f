/*
 * Constructors of options by the kind of their values, and the options that several commands share.
 */
import type { Command } from "commander";
import { excerpt, OptionError } from "../../errors.ts";
import { activations, type ActivationName } from "../../nn/activations.ts";
import { losses, type LossName } from "../../nn/losses.ts";
import { momentumForms, type MomentumForm } from "../../nn/momentum-form.ts";
import { adam, adamW, momentum, nesterov, rmsprop, sgd } from "../../nn/optimizers.ts";
import { constant, cosine, exponential, step } from "../../nn/schedules.ts";
import { precisions, type Precision } from "../../ops/matmul/precision.ts";
import { deviceChoices } from "../../node/index.ts";
import { DeclaredOption, SettableOption } from "./declared-option.ts";
import { atLeastZero, batchSize, columnList, oneOf, positiveNumber, wholeNumber, widths } from "./parsers.ts";

/** Each with its options at the defaults. */
export const optimizers = { sgd, momentum, nesterov, rmsprop, adam, adamW } as const;

/** Each with its options at the defaults. */
export const schedules = { constant, step, exponential, cosine } as const;

export type OptimizerName = keyof typeof optimizers;

export type ScheduleName = keyof typeof schedules;

const namesOf = <Name extends string>(table: Readonly<Record<Name, unknown>>) => Object.keys(table) as Name[];

/** Makes a command refuse an option that is given twice, of which the first would be ignored. */
export function refuseRepeats(command: Command): void {
  const given = new Set<string>();
  for (const option of command.options) {
    const name = option.attributeName();
    if (option instanceof DeclaredOption && option.facts.isRepeatable) continue;
    command.on(`option:${option.name()}`, () => {
      if (given.has(name))
        throw new OptionError({
          where: option.long ?? option.flags,
          what: "it is given twice, itself or its opposite",
          fix: "Give one value",
        });
      given.add(name);
    });
  }
}

const flagOf = (flags: string) => /--[\w-]+/.exec(flags)![0];

/** A whole number of at least `least`. */
export function wholeNumberOption(flags: string, description: string, least: number, most?: number): SettableOption {
  const schema = { type: "integer", minimum: least, ...(most !== undefined && { maximum: most }) };
  return new SettableOption(flags, description, schema).argParser(wholeNumber(flagOf(flags), least, most));
}

/** A finite number above 0. */
export function positiveOption(flags: string, description: string): SettableOption {
  return new SettableOption(flags, description, { type: "number", exclusiveMinimum: 0 }).argParser(
    positiveNumber(flagOf(flags)),
  );
}

/** A finite number of at least 0. */
export function atLeastZeroOption(flags: string, description: string): SettableOption {
  return new SettableOption(flags, description, { type: "number", minimum: 0 }).argParser(atLeastZero(flagOf(flags)));
}

/** A number of at least 0 and below 1. */
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

/** One of several names, which the help lists. */
export function nameOption<Name extends string>(
  flag: string,
  what: string,
  names: readonly Name[],
  preset?: Name,
): SettableOption {
  const option = new SettableOption(`${flag} <name>`, `${what}: ${names.join(", ")}`, { enum: names }).argParser(
    oneOf(flag, names),
  );
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

/** What the network and its training step depend on. */
export interface NetworkFlags {
  readonly hidden: readonly number[];
  readonly activation: ActivationName;
  readonly dropout: number;
  /** The usual one of the data by default. */
  readonly loss?: LossName;
  /** See `settledFlags`; adam where there are no data. */
  readonly optimizer?: OptimizerName;
  readonly momentumForm?: MomentumForm;
  readonly weightDecay?: number;
  readonly clipNorm?: number;
  /** 64 by default, or all of fewer examples. */
  readonly batch?: number | "full";
  readonly seed: number;
  readonly standardize: boolean;
  readonly precision: Precision;
}

/** The options of `NetworkFlags`, for a command's help in this order. */
export function networkOptions(): SettableOption[] {
  const hidden = { type: "array", items: { type: "integer", minimum: 1 } };
  const batch = { anyOf: [{ type: "integer", minimum: 1 }, { const: "full" }] };
  const options = [
    new SettableOption(
      "--hidden <widths>",
      "widths of the hidden layers, such as 128,64; none for a linear model",
      hidden,
    )
      .argParser(widths("--hidden"))
      .default([128], "128"),
    nameOption("--activation", "of the hidden layers", namesOf(activations), "relu"),
    shareOption("--dropout <share>", "of each hidden layer's outputs, left out at random while training").default(0),
    nameOption(
      "--loss",
      "what training lowers (default: softmaxCrossEntropy of classes, meanSquaredError of quantities)",
      namesOf(losses),
    ).withFacts({ sweep: "shared" }),
    nameOption("--optimizer", "the update rule (default: adam; adamW for a table)", namesOf(optimizers)),
    nameOption("--momentum-form", "of momentum and nesterov, where the rate changes (default: classic)", momentumForms),
    atLeastZeroOption("--weight-decay <rate>", "of adamW, at least 0 (default: 0.01; 0.3 for a table)").withFacts({
      libraryNames: ["adamW weightDecay"],
    }),
    positiveOption("--clip-norm <norm>", "clip the gradients to this common norm"),
    new SettableOption("--batch <size>", "examples per step, or full for all of them (default: 64)", batch)
      .argParser(batchSize("--batch"))
      .withFacts({ libraryNames: ["batchSize"] }),
    wholeNumberOption("--seed <number>", "of the initial values and the order of the examples", 0, 2 ** 32 - 1).default(
      1,
    ),
    switchOption(
      "--no-standardize",
      "take pixels as 0 … 1 and columns as they are (default: with mean 0 and deviation 1)",
    )
      .default(true)
      .withFacts({ selectsData: true }),
    nameOption("--precision", "of what the matrix products of a step multiply", precisions, "float32"),
  ];
  for (const option of options) option.helpGroup("Network and step:");
  return options;
}

/** --schedule, for training. */
export function scheduleOption(): SettableOption {
  return nameOption("--schedule", "of the learning rate", namesOf(schedules), "cosine");
}

/** Facts of options that name the data. Of a resumed run the contents must be the same, wherever they are read from. */
export const sourceFacts = { isIdentity: false, selectsData: true, sweep: "shared" } as const;

/** --data, for commands that read the data set. */
export function dataOption(): SettableOption {
  return textOption(
    "--data <folder>",
    "folder of the four MNIST files (default: MNIST_DIR, else data/mnist, else a download, else built-in digits)",
  ).withFacts({ ...sourceFacts, libraryNames: ["directory"] });
}

/** --device, for commands that compute. */
export function deviceOption(): SettableOption {
  return nameOption(
    "--device",
    "what computes; auto takes wasm, the CPU by WebAssembly, where there is no GPU",
    deviceChoices,
    "auto",
  ).withFacts({ isIdentity: false, sweep: "shared" });
}
