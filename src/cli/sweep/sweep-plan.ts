/*
 * The settings of a sweep's runs: all combinations of a grid, or combinations drawn at random.
 */
import { createHash } from "node:crypto";
import { OptionError } from "../../errors.ts";
import { Random } from "../../random.ts";
import { nearest } from "../../nearest.ts";
import { alternatives, wantedText, type SettableOption, type ValueSchema } from "../options/declared-option.ts";
import { shellQuoted } from "../text/terminal.ts";

/** The random stream of sweeps ("sw"), distinct from other uses of the same seed. */
const sweepStream = 0x7377;

/** The values of one option in a grid. */
export interface Choices {
  readonly name: string;
  readonly values: readonly unknown[];
}

/** The range of one option from which numbers are drawn. */
export interface Range {
  readonly name: string;
  readonly low: number;
  readonly high: number;
  /** Whether the logarithm of the number is distributed uniformly, rather than the number. */
  readonly logarithmic: boolean;
  readonly whole: boolean;
}

/** The options in which one run differs from the common ones. */
export type Changes = Readonly<Record<string, unknown>>;

type Options = ReadonlyMap<string, SettableOption>;

/**
 * Parses a grid such as "lr=0.001,0.002" or, if values contain commas, "hidden=64;128,64". Options are named with dashes
 * or in camel case.
 * @throws OptionError for an unknown option, a value outside its range, or no value
 */
export function parseChoices(text: string, options: Options): Choices {
  const { name, option, rest } = optionOf("--grid", text, options);
  const parts = rest.split(rest.includes(";") || option.facts.hasCommas ? ";" : ",").map((part) => part.trim());
  if (parts.includes("")) throw invalid("--grid", text, "lr=0.001,0.002");
  return { name, values: parts.map((part) => valueOf(option, part)) };
}

function valueOf(option: SettableOption, text: string): unknown {
  if (option.schema.type !== "boolean") return option.parseArg ? option.parseArg(text, undefined) : text;
  if (text === "true" || text === "false") return text === "true";
  throw new OptionError({
    where: option.long ?? option.flags,
    what: `${JSON.stringify(text)} is neither true nor false`,
    fix: "Give true or false",
  });
}

/**
 * Parses a range such as "lr=1e-4..1e-2:log" or "batch=16..256".
 * @throws OptionError for an option that is not a number, or ends that are outside its range or in the wrong order
 */
export function parseRange(text: string, options: Options): Range {
  const { name, option, rest } = optionOf("--range", text, options);
  const [, from, to, scale] = /^(.+?)\.\.(.+?)(:log)?$/.exec(rest) ?? [];
  if (from === undefined || to === undefined) throw invalid("--range", text, "lr=1e-4..1e-2:log");
  if (!takesNumbers(option.schema)) {
    const what = `${name} is ${wantedText(option.schema)}, so it has no range`;
    const separator = option.schema.type === "array" || option.facts.hasCommas ? ";" : ",";
    throw new OptionError({
      where: "--range",
      what,
      fix: `List its values with --grid ${shellQuoted(`${name}=${from}${separator}${to}`)}`,
    });
  }
  const [low, high] = [from, to].map((end) => option.parseArg?.(end, undefined));
  if (typeof low !== "number" || typeof high !== "number") {
    const what = `the ends of the range of ${name} must be numbers, not ${JSON.stringify(typeof low === "number" ? to : from)}`;
    throw new OptionError({ where: "--range", what, fix: "Give two numbers, such as 16..64" });
  }
  const logarithmic = scale !== undefined;
  if (!(low < high) || (logarithmic && low <= 0)) {
    const isPositive = !logarithmic || low > 0;
    throw new OptionError({
      where: "--range",
      what: `${from} … ${to} is not a ${logarithmic ? "logarithmic " : ""}range`,
      fix: isPositive ? "Give the smaller number first" : "Start above 0, or omit :log",
    });
  }
  return { name, low, high, logarithmic, whole: isWhole(option.schema) };
}

const takesNumbers = (schema: ValueSchema): boolean =>
  isWhole(schema) || alternatives(schema).some(({ type }) => type === "number");

const isWhole = (schema: ValueSchema): boolean => alternatives(schema).some(({ type }) => type === "integer");

function optionOf(
  flag: string,
  text: string,
  options: Options,
): { name: string; option: SettableOption; rest: string } {
  const [, written, rest] = /^([^=]+)=(.*)$/s.exec(text) ?? [];
  if (written === undefined || rest === undefined)
    throw invalid(flag, text, flag === "--grid" ? "lr=0.001,0.002" : "lr=1e-4..1e-2:log");
  const name = written.replace(/^--/, "").replaceAll(/-(\w)/g, (_, letter: string) => letter.toUpperCase());
  const option = options.get(name);
  if (option) return { name, option, rest };
  const near = nearest(name, [...options.keys()]);
  throw new OptionError({
    where: flag,
    what: `there is no option ${JSON.stringify(written)} to sweep over`,
    fix: near === undefined ? "`wgrad train --help` lists them" : `Did you mean ${near}?`,
  });
}

const invalid = (where: string, text: string, example: string) =>
  new OptionError({ where, what: `${JSON.stringify(text)} is invalid`, fix: `Give a value such as ${example}` });

/** All combinations; the values of the last option change fastest. */
export function gridRuns(grid: readonly Choices[]): Changes[] {
  return grid.reduce<Changes[]>(
    (runs, { name, values }) => runs.flatMap((run) => values.map((value) => ({ ...run, [name]: value }))),
    [{}],
  );
}

/**
 * Draws runs at random: uniformly or log-uniformly from ranges, and uniformly from choices. The first n runs are the same
 * for every count.
 */
export function randomRuns(count: number, seed: number, ranges: readonly Range[], grid: readonly Choices[]): Changes[] {
  return Array.from({ length: count }, (_, run) => {
    const random = new Random(sweepStream, seed, run);
    const drawn = ranges.map((range) => [range.name, numberFrom(random, range)] as const);
    const chosen = grid.map(({ name, values }) => [name, values[random.below(values.length)]] as const);
    return Object.fromEntries([...drawn, ...chosen]);
  });
}

function numberFrom(random: Random, { low, high, logarithmic, whole }: Range): number {
  const end = whole && !logarithmic ? high + 1 : high;
  const value = logarithmic ? Math.exp(random.uniform(Math.log(low), Math.log(high))) : random.uniform(low, end);
  if (whole) return Math.min(high, logarithmic ? Math.round(value) : Math.floor(value));
  // Four digits, as in the table of results, so that a run can be repeated from the table.
  return Math.min(high, Math.max(low, Number(value.toPrecision(4))));
}

/** A run's name: a digest of its options, independent of their order. */
export function runName(configuration: Readonly<Record<string, unknown>>): string {
  const sorted = Object.entries(configuration).sort(([a], [b]) => (a < b ? -1 : 1));
  return createHash("sha256").update(JSON.stringify(sorted)).digest("hex").slice(0, 12);
}
