/*
 * Which runs a sweep makes: all combinations of a grid, or combinations drawn at random.
 */
import { createHash } from "node:crypto";
import { OptionError } from "../../errors.ts";
import { Random } from "../../random.ts";
import { nearest } from "../options/nearest.ts";
import { wantedText, type SettableOption, type ValueSchema } from "../options/declared-option.ts";
import { shellQuoted } from "../text/terminal.ts";

/** Names the random streams of sweeps ("sw"), apart from those of other uses of the same seed. */
const sweepStream = 0x7377;

/** Values of one option that are tried. */
export interface Choices {
  readonly name: string;
  readonly values: readonly unknown[];
}

/** Numbers of one option that are drawn from a range. */
export interface Range {
  readonly name: string;
  readonly low: number;
  readonly high: number;
  /** Whether the logarithm is uniform, rather than the number. */
  readonly logarithmic: boolean;
  readonly whole: boolean;
}

/** What one run has in place of the common options. */
export type Changes = Readonly<Record<string, unknown>>;

type Options = ReadonlyMap<string, SettableOption>;

/**
 * Reads such as "lr=0.001,0.002" or, where a value holds commas, "hidden=64;128,64". Names are those of the options,
 * with dashes or in camel case.
 * @throws OptionError for an option that there is not, a value outside its range, or none at all
 */
export function parseChoices(text: string, options: Options): Choices {
  const { name, option, rest } = optionOf("--grid", text, options);
  const parts = rest
    .split(rest.includes(";") ? ";" : ",")
    .map((part) => part.trim())
    .filter((part) => part !== "");
  if (parts.length === 0) throw notUnderstood("--grid", text, "lr=0.001,0.002");
  return { name, values: parts.map((part) => valueOf(option, part)) };
}

function valueOf(option: SettableOption, text: string): unknown {
  if (option.schema["type"] !== "boolean") return option.parseArg ? option.parseArg(text, undefined) : text;
  if (text === "true" || text === "false") return text === "true";
  throw new OptionError({
    where: option.long ?? option.flags,
    what: `${JSON.stringify(text)} is neither`,
    fix: "Give true or false",
  });
}

/**
 * Reads such as "lr=1e-4..1e-2:log" or "batch=16..256".
 * @throws OptionError for an option that takes no numbers, or ends outside its range or in the wrong order
 */
export function parseRange(text: string, options: Options): Range {
  const { name, option, rest } = optionOf("--range", text, options);
  const [, from, to, scale] = /^(.+?)\.\.(.+?)(:log)?$/.exec(rest) ?? [];
  if (from === undefined || to === undefined) throw notUnderstood("--range", text, "lr=1e-4..1e-2:log");
  if (!takesNumbers(option.schema)) {
    const what = `${name} takes ${wantedText(option.schema)}, so there is nothing between two of its values`;
    const separator = option.schema["type"] === "array" ? ";" : ",";
    throw new OptionError({
      where: "--range",
      what,
      fix: `List its values with --grid ${shellQuoted(`${name}=${from}${separator}${to}`)}`,
    });
  }
  const [low, high] = [from, to].map((end) => option.parseArg?.(end, undefined));
  if (typeof low !== "number" || typeof high !== "number") {
    const what = `the range of ${name} must end at numbers, not at ${JSON.stringify(typeof low === "number" ? to : from)}`;
    throw new OptionError({ where: "--range", what, fix: "Give two numbers, such as 16..64" });
  }
  const logarithmic = scale !== undefined;
  if (!(low < high) || (logarithmic && low <= 0)) {
    const what = `${from} … ${to} is no range${logarithmic && low <= 0 ? " of a logarithm" : ""}`;
    throw new OptionError({ where: "--range", what, fix: "Give the smaller number first" });
  }
  return { name, low, high, logarithmic, whole: isWhole(option) };
}

function takesNumbers(schema: ValueSchema): boolean {
  const choices = (schema["anyOf"] as readonly ValueSchema[] | undefined) ?? [schema];
  return choices.some(({ type }) => type === "integer" || type === "number");
}

function isWhole({ schema }: SettableOption): boolean {
  const kinds = (schema["anyOf"] as readonly { type?: string }[] | undefined) ?? [schema as { type?: string }];
  return kinds.some(({ type }) => type === "integer");
}

function optionOf(
  flag: string,
  text: string,
  options: Options,
): { name: string; option: SettableOption; rest: string } {
  const [, written, rest] = /^([^=]+)=(.*)$/s.exec(text) ?? [];
  if (written === undefined || rest === undefined)
    throw notUnderstood(flag, text, flag === "--grid" ? "lr=0.001,0.002" : "lr=1e-4..1e-2:log");
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

const notUnderstood = (where: string, text: string, example: string) =>
  new OptionError({ where, what: `${JSON.stringify(text)} is not understood`, fix: `Give such as ${example}` });

/** All combinations, the last option's values changing fastest. */
export function gridRuns(grid: readonly Choices[]): Changes[] {
  return grid.reduce<Changes[]>(
    (runs, { name, values }) => runs.flatMap((run) => values.map((value) => ({ ...run, [name]: value }))),
    [{}],
  );
}

/** Draws runs: uniformly from ranges, or their logarithms, and from choices. The first n are the same for any count. */
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
  // Few digits, so that the run can be repeated from what the table says.
  return Math.min(high, Math.max(low, Number(value.toPrecision(4))));
}

/** A run's name: the same for the same options, whatever their order. */
export function runName(configuration: Readonly<Record<string, unknown>>): string {
  const sorted = Object.entries(configuration).sort(([a], [b]) => (a < b ? -1 : 1));
  return createHash("sha256").update(JSON.stringify(sorted)).digest("hex").slice(0, 12);
}
