/*
 * The options that several commands share, and how their texts become values. A text that is none is an OptionError
 * that names the option, the text and what would do.
 */
import { Option } from "commander";
import { OptionError } from "../../errors.ts";
import { activations, type ActivationName } from "../../nn/activations.ts";
import { losses, type LossName } from "../../nn/losses.ts";
import { adam, adamW, momentum, nesterov, rmsprop, sgd } from "../../nn/optimizers.ts";
import { constant, cosine, exponential, step } from "../../nn/schedules.ts";
import { precisions, type Precision } from "../../ops/matmul/precision.ts";
import { deviceChoices } from "../index.ts";
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
      throw new OptionError({ where: flag, what: `${JSON.stringify(text)} is out of range`, fix: `Give ${range}` });
    }
    return value;
  };
}

/** A finite number above 0. */
export function positiveNumber(flag: string): Parser<number> {
  return (text) => {
    const value = Number(text);
    if (!(value > 0 && value < Infinity)) {
      const what = `${JSON.stringify(text)} is out of range`;
      throw new OptionError({ where: flag, what, fix: "Give a finite number above 0, such as 0.002" });
    }
    return value;
  };
}

/** One of several names; the flag without its dashes says of what. */
function oneOf<Name extends string>(flag: string, names: readonly Name[]): Parser<Name> {
  return (text) => {
    const found = names.find((name) => name === text);
    if (found !== undefined) return found;
    const near = nearest(text, names);
    throw new OptionError({
      where: flag,
      what: `there is no ${flag.replace("--", "")} ${JSON.stringify(text)}`,
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
      const what = `${JSON.stringify(wrong)} is no width of a layer`;
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
      const what = `${JSON.stringify(text)} is no number of examples`;
      throw new OptionError({ where: flag, what, fix: 'Give a whole number of at least 1, or "full" for all of them' });
    }
  };
}

/** What the network and its training step depend on. */
export interface NetworkFlags {
  readonly hidden: readonly number[];
  readonly activation: ActivationName;
  readonly loss: LossName;
  readonly optimizer: OptimizerName;
  readonly batch: number | "full";
  readonly seed: number;
  readonly standardize: boolean;
  readonly precision: Precision;
}

/** An option that takes one of several names, which its help lists. */
function nameOption<Name extends string>(flag: string, what: string, names: readonly Name[], preset: Name): Option {
  const description = `${what}: ${names.join(", ")}`;
  return new Option(`${flag} <name>`, description).argParser(oneOf(flag, names)).default(preset, preset);
}

/** The options of `NetworkFlags`, for a command's help in this order. */
export function networkOptions(): Option[] {
  return [
    new Option("--hidden <widths>", "widths of the hidden layers, such as 128,64; none for a linear model")
      .argParser(widths("--hidden"))
      .default([128], "128"),
    nameOption("--activation", "of the hidden layers", namesOf(activations), "relu"),
    nameOption("--loss", "what training lowers", namesOf(losses), "softmaxCrossEntropy"),
    nameOption("--optimizer", "the update rule", namesOf(optimizers), "adam"),
    new Option("--batch <size>", "examples per step, or full for all of them").argParser(batchSize("--batch")).default(64),
    new Option("--seed <number>", "of the initial values and the order of the examples")
      .argParser(wholeNumber("--seed", 0, 2 ** 32 - 1))
      .default(1),
    new Option("--no-standardize", "take pixels as 0 … 1 (default: with mean 0 and deviation 1)"),
    nameOption("--precision", "of what the matrix products of a step multiply", precisions, "float32"),
  ];
}

/** --schedule, for training. */
export function scheduleOption(): Option {
  return nameOption("--schedule", "of the learning rate", namesOf(schedules), "cosine");
}

/** --data, for commands that read the data set. */
export function dataOption(): Option {
  return new Option(
    "--data <folder>",
    "folder of the four MNIST files (default: MNIST_DIR, else data/mnist, else a download, else built-in digits)",
  );
}

/** --device, for commands that compute. */
export function deviceOption(): Option {
  return nameOption("--device", "what computes; auto takes the CPU where there is no GPU", deviceChoices, "auto");
}
