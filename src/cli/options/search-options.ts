/*
 * The options of `wgrad sweep` that choose its trials.
 */
import { Option, type Command } from "commander";
import { MOST_PARALLEL } from "../../cluster/sweeps/description.ts";
import { MOST_RUNGS } from "../../cluster/sweeps/names.ts";
import { OptionError } from "../../errors.ts";
import type { Search } from "../sweep/asha.ts";
import { gridRuns, parseChoices, parseRange, randomRuns, type Changes } from "../sweep/sweep-plan.ts";
import { settableOptions } from "./config.ts";
import { DeclaredOption } from "./declared-option.ts";
import { oneOf, wholeNumber } from "./parsers.ts";
import type { TrainFlags } from "./train-options.ts";

interface SearchFlags {
  readonly grid: readonly string[];
  readonly range: readonly string[];
  readonly random?: number;
  readonly search: "full" | "asha";
  readonly rungs?: number;
  readonly reduction?: number;
  readonly parallel?: number;
}

/** The trials of a sweep, and how they are compared. */
export interface SweepPlan {
  readonly runs: readonly Changes[];
  readonly search: Search;
}

const [RUNGS, REDUCTION, PARALLEL] = [3, 3, 4];

const repeatable = (flags: string, description: string) =>
  new DeclaredOption(flags, description)
    .argParser((text: string, before: readonly string[]) => [...before, text])
    .default([], "none")
    .withFacts({ isRepeatable: true });

const numberOption = (flags: string, description: string, least: number, most?: number) =>
  new Option(flags, description).argParser(wholeNumber(flags.split(" ")[0]!, least, most));

/** The options, in the order of the help. */
export function searchOptions(): Option[] {
  return [
    repeatable("--grid <option=values>", "try each of these values; several --grid give all combinations"),
    numberOption("--random <runs>", "draw this many random settings instead of all combinations", 1),
    repeatable("--range <option=a..b>", "draw a number uniformly from a range; :log after it draws log-uniformly"),
    new Option(
      "--search <name>",
      "full trains every run to its end; asha, asynchronous successive halving, trains all runs for some steps, and the best of them further",
    )
      .argParser(oneOf("--search", ["full", "asha"]))
      .default("full", "full"),
    numberOption("--rungs <number>", `asha: times at which runs are compared (default: ${RUNGS})`, 2, MOST_RUNGS),
    numberOption(
      "--reduction <number>",
      `asha: one of this many runs continues at each rung, for this many times the steps (default: ${REDUCTION})`,
      2,
      100,
    ),
    numberOption(
      "--parallel <runs>",
      `asha: runs that wait or are in progress at a time (default: ${PARALLEL})`,
      1,
      MOST_PARALLEL,
    ),
  ];
}

/** The sweep that a command describes. @throws OptionError for options that do not fit together */
export function plannedSweep(command: Command): SweepPlan {
  // Equal draws are one run.
  const runs = [...new Map(plannedRuns(command).map((changes) => [JSON.stringify(changes), changes])).values()];
  return { runs, search: { trials: runs.length, ...plannedSearch(command, runs) } };
}

function plannedRuns(command: Command): Changes[] {
  const { grid, range, random } = command.opts<SearchFlags>();
  const { seed } = command.opts<TrainFlags>();
  const options = new Map([...settableOptions(command)].filter(([, { facts }]) => facts.sweep === "varied"));
  const choices = grid.map((text) => parseChoices(text, options));
  const ranges = range.map((text) => parseRange(text, options));
  if (choices.length + ranges.length === 0) {
    throw new OptionError({
      where: "sweep",
      what: "there is no option to vary",
      fix: "Give values such as --grid lr=0.001,0.002",
    });
  }
  requireDistinctOptions([...choices, ...ranges]);
  if (random === undefined && ranges.length > 0) {
    throw new OptionError({
      where: "--range",
      what: "a range has infinitely many values",
      fix: "Add --random with the number of runs to draw",
    });
  }
  return random === undefined ? gridRuns(choices) : randomRuns(random, seed, ranges, choices);
}

/** A second grid or range of an option would silently replace the first. */
function requireDistinctOptions(varied: readonly { readonly name: string }[]): void {
  const names = varied.map(({ name }) => name);
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice === undefined) return;
  const fix = `Give all its values at once, such as --grid ${twice}=a,b, or one range`;
  throw new OptionError({ where: "sweep", what: `${twice} is varied twice`, fix });
}

function plannedSearch(command: Command, runs: readonly Changes[]): Pick<Search, "rungs" | "parallel"> {
  const { search, rungs, reduction, parallel } = command.opts<SearchFlags>();
  if (search === "full") {
    const given = Object.entries({ rungs, reduction, parallel }).find(([, value]) => value !== undefined);
    if (!given) return { rungs: undefined, parallel: PARALLEL };
    throw new OptionError({ where: `--${given[0]}`, what: "only asha has this option", fix: "Add --search asha" });
  }
  for (const [name, { flag, facts }] of settableOptions(command)) {
    const isVaried = runs.some((changes) => Object.hasOwn(changes, name));
    if (!facts.stopsEarly || (command.getOptionValue(name) === undefined && !isVaried)) continue;
    const what = "asha compares runs after the same number of steps, but this option may stop them earlier";
    throw new OptionError({ where: flag, what, fix: "Omit it, or use --search full" });
  }
  return { rungs: { count: rungs ?? RUNGS, reduction: reduction ?? REDUCTION }, parallel: parallel ?? PARALLEL };
}
