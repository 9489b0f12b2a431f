/*
 * The options that several commands share, and how their texts become values. A text that is none is an OptionError
 * that names the option, the text and what would do.
 */
import { Option, type Command } from "commander";
import { excerpt, OptionError } from "../../errors.ts";
import { isPositiveFloat32, POSITIVE_FLOAT32_RANGE } from "../../float32.ts";
import { activations, type ActivationName } from "../../nn/activations.ts";
import { losses, type LossName } from "../../nn/losses.ts";
import { momentumForms, type MomentumForm } from "../../nn/momentum-form.ts";
import { adam, adamW, momentum, nesterov, rmsprop, sgd } from "../../nn/optimizers.ts";
import { constant, cosine, exponential, step } from "../../nn/schedules.ts";
import { precisions, type Precision } from "../../ops/matmul/precision.ts";
import { deviceChoices } from "../../node/index.ts";
import { nearest } from "./nearest.ts";

/** Each with its options at the defaults. */
export const optimizers = { sgd, momentum, nesterov, rmsprop, adam, adamW } as const;

/** Each with its options at the defaults. */
export const schedules = { constant, step, exponential, cosine } as const;

export type OptimizerName = keyof typeof optimizers;

export type ScheduleName = keyof typeof schedules;

const namesOf = <Name extends string>(table: Readonly<Record<Name, unknown>>) => Object.keys(table) as Name[];

type Parser<Value> = (text: string) => Value;

/** A whole number of at least `least`. */
export function wholeNumber(flag: string, least: number, most = Number.MAX_SAFE_INTEGER): Parser<number> {
  const range = most < Number.MAX_SAFE_INTEGER ? `a whole number in ${least} … ${most}` : `a whole number of at least ${least}`;
  return (text) => {
    const value = Number(text);
    if (!/^\d+$/.test(text) || value < least || value > most) {
      throw new OptionError({ where: flag, what: `${excerpt(text)} is out of range`, fix: `Give ${range}` });
    }
    return value;
  };
}

/** A number above 0 that float32 holds. */
export function positiveNumber(flag: string): Parser<number> {
  return (text) => {
    const value = Number(text);
    if (!isPositiveFloat32(value)) {
      const what = `${excerpt(text)} is out of range`;
      throw new OptionError({ where: flag, what, fix: `Give ${POSITIVE_FLOAT32_RANGE}, such as 0.002` });
    }
    return value;
  };
}

/** A finite number of at least 0. */
function atLeastZero(flag: string): Parser<number> {
  return (text) => (Number(text) === 0 && text.trim() !== "" ? 0 : positiveNumber(flag)(text));
}

/** One of several names; the flag without its dashes says of what. */
export function oneOf<Name extends string>(flag: string, names: readonly Name[]): Parser<Name> {
  return (text) => {
    const found = names.find((name) => name === text);
    if (found !== undefined) return found;
    const near = nearest(text, names);
    throw new OptionError({
      where: flag,
      what: `there is no ${flag.replace("--", "")} ${excerpt(text)}`,
      fix: `${near === undefined ? "" : `Did you mean ${near}? `}Choose one of ${names.join(", ")}`,
    });
  };
}

/** Widths of hidden layers, such as "128,64"; none for "none" and the empty text. */
export function widths(flag: string): Parser<number[]> {
  return (text) => {
    if (text === "" || text === "none") return [];
    const parts = text.split(",").map((part) => part.trim());
    const wrong = parts.find((part) => !/^\d+$/.test(part) || Number(part) < 1);
    if (wrong !== undefined) {
      const what = `${excerpt(wrong)} is no width of a layer`;
      throw new OptionError({ where: flag, what, fix: "Give whole numbers of at least 1 with commas between, or none" });
    }
    return parts.map(Number);
  };
}

/** A number of examples, or all of them. */
export function batchSize(flag: string): Parser<number | "full"> {
  return (text) => {
    if (text === "full") return text;
    try {
      return wholeNumber(flag, 1)(text);
    } catch {
      const what = `${excerpt(text)} is no number of examples`;
      throw new OptionError({ where: flag, what, fix: 'Give a whole number of at least 1, or "full" for all of them' });
    }
  };
}

/** Columns by name or position, with commas between; those of a repeated option are added. */
export function columnList(text: string, before: readonly string[] = []): string[] {
  return [...before, ...text.split(",").map((part) => part.trim()).filter((part) => part !== "")];
}

/** Options that may be given several times, by their names. */
const repeatable = new Set(["label", "drop", "categorical", "grid", "range"]);

/** Makes a command refuse an option that is given twice, of which the first would be ignored. */
export function refuseRepeats(command: Command): void {
  const given = new Set<string>();
  for (const option of command.options) {
    const name = option.attributeName();
    if (repeatable.has(name)) continue;
    command.on(`option:${option.name()}`, () => {
      if (given.has(name)) throw new OptionError({ where: option.long ?? option.flags, what: "it is given twice, itself or its opposite", fix: "Give one value" });
      given.add(name);
    });
  }
}

/** What a configuration file may give for an option, as JSON Schema says it. */
export type ValueSchema = Readonly<Record<string, unknown>>;

/** What a schema wants, in words, such as "a whole number of at least 1". */
export function wantedText(schema: ValueSchema): string {
  const { type, enum: names, const: only, anyOf, items, minimum, maximum, exclusiveMinimum, exclusiveMaximum, pattern } = schema as SchemaParts;
  if (anyOf) return anyOf.map(wantedText).join(" or ");
  if (names) return `one of ${names.map((name) => JSON.stringify(name)).join(", ")}`;
  if (only !== undefined) return JSON.stringify(only);
  if (type === "array") return items?.type === "string" ? 'a list of texts, such as ["id", "name"]' : "a list of whole numbers of at least 1, such as [128, 64]";
  if (type === "boolean") return "true or false";
  if (type === "string") return pattern === undefined ? "a text that is not empty" : 'a text such as "25" or "5s"';
  const kind = type === "integer" ? "a whole number" : "a number";
  if (maximum !== undefined) return `${kind} in ${minimum} … ${maximum}`;
  if (exclusiveMaximum !== undefined) return `${kind} in [${minimum}, ${exclusiveMaximum})`;
  return exclusiveMinimum === undefined ? `${kind} of at least ${minimum}` : `${kind} above ${exclusiveMinimum}`;
}

interface SchemaParts {
  readonly type?: string;
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly anyOf?: readonly ValueSchema[];
  readonly items?: { readonly type?: string };
  readonly minimum?: number;
  readonly maximum?: number;
  readonly exclusiveMinimum?: number;
  readonly exclusiveMaximum?: number;
  readonly pattern?: string;
}

/** An option that a configuration file may give as well, under its name in camel case. */
export class SettableOption extends Option {
  readonly schema: ValueSchema;

  constructor(flags: string, description: string, schema: ValueSchema) {
    super(flags, description);
    this.schema = schema;
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
  return new SettableOption(flags, description, { type: "number", exclusiveMinimum: 0 }).argParser(positiveNumber(flagOf(flags)));
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
    throw new OptionError({ where: flagOf(flags), what: `${excerpt(text)} is out of range`, fix: "Give a number in [0, 1), such as 0.1" });
  });
}

/** One of several names, which the help lists. */
export function nameOption<Name extends string>(flag: string, what: string, names: readonly Name[], preset?: Name): SettableOption {
  const option = new SettableOption(`${flag} <name>`, `${what}: ${names.join(", ")}`, { enum: names }).argParser(oneOf(flag, names));
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
    new SettableOption("--hidden <widths>", "widths of the hidden layers, such as 128,64; none for a linear model", hidden)
      .argParser(widths("--hidden"))
      .default([128], "128"),
    nameOption("--activation", "of the hidden layers", namesOf(activations), "relu"),
    shareOption("--dropout <share>", "of each hidden layer's outputs, left out at random while training").default(0),
    nameOption(
      "--loss",
      "what training lowers (default: softmaxCrossEntropy of classes, meanSquaredError of quantities)",
      namesOf(losses),
    ),
    nameOption("--optimizer", "the update rule (default: adam; adamW for a table)", namesOf(optimizers)),
    nameOption("--momentum-form", "of momentum and nesterov, where the rate changes (default: classic)", momentumForms),
    atLeastZeroOption("--weight-decay <rate>", "of adamW, at least 0 (default: 0.01; 0.3 for a table)"),
    positiveOption("--clip-norm <norm>", "clip the gradients to this common norm"),
    new SettableOption("--batch <size>", "examples per step, or full for all of them (default: 64)", batch).argParser(batchSize("--batch")),
    wholeNumberOption("--seed <number>", "of the initial values and the order of the examples", 0, 2 ** 32 - 1).default(1),
    switchOption("--no-standardize", "take pixels as 0 … 1 and columns as they are (default: with mean 0 and deviation 1)").default(true),
    nameOption("--precision", "of what the matrix products of a step multiply", precisions, "float32"),
  ];
  for (const option of options) option.helpGroup("Network and step:");
  return options;
}

/** --schedule, for training. */
export function scheduleOption(): SettableOption {
  return nameOption("--schedule", "of the learning rate", namesOf(schedules), "cosine");
}

/** --data, for commands that read the data set. */
export function dataOption(): SettableOption {
  return textOption(
    "--data <folder>",
    "folder of the four MNIST files (default: MNIST_DIR, else data/mnist, else a download, else built-in digits)",
  );
}

/** --device, for commands that compute. */
export function deviceOption(): SettableOption {
  return nameOption("--device", "what computes; auto takes the CPU where there is no GPU", deviceChoices, "auto");
}
