import { Option, type Command } from "commander";
import { excerpt, OptionError } from "../../errors.ts";
import { simulateRun, type ScaleOptions, type ScaleResult } from "../../cluster/training/scale.ts";
import { writeFileAtomically } from "../../node/index.ts";
import { DeclaredOption } from "../options/declared-option.ts";
import { atLeastZero, positiveNumber, wholeNumber } from "../options/parsers.ts";
import { print, say } from "../text/terminal.ts";
import { field, percent, shortNumber } from "../text/text.ts";

interface ScaleFlags {
  readonly workers: readonly number[];
  readonly links: readonly number[];
  readonly server: number;
  readonly latency: number;
  readonly stepMs: number;
  readonly parameters: number;
  readonly innerSteps: number;
  readonly changeBytes: number;
  readonly addNs: number;
  readonly roundMs: number;
  readonly spread: number;
  readonly roundSpread: number;
  readonly quorum: number;
  readonly rounds: number;
  readonly seed: number;
  readonly json?: string;
}

const EXAMPLES = `
Example:
  wgrad bench cluster --step-ms 75 --parameters 45274 --links 1000,100,20

The default times were measured with --preset cnn and batches of 128 on two
cores of a server; docs/cluster.md says how.`;

/** Parses positive numbers such as "1000,100". */
function numbers(flag: string, parse: (text: string) => number) {
  return (text: string): number[] => {
    const list = text.split(",").map((part) => parse(part.trim()));
    if (new Set(list).size === list.length) return list;
    const what = `${excerpt(text)} has a number twice`;
    throw new OptionError({ where: flag, what, fix: "Give each once" });
  };
}

/** `wgrad bench cluster`. */
export function benchClusterCommand(command: Command): Command {
  const whole = (flags: string, description: string, least: number) =>
    new Option(flags, description).argParser(wholeNumber(/--[\w-]+/.exec(flags)![0], least));
  const positive = (flags: string, description: string) =>
    new Option(flags, description).argParser(positiveNumber(/--[\w-]+/.exec(flags)![0]));
  const share = (flags: string, description: string) =>
    new Option(flags, description).argParser(atLeastZero(/--[\w-]+/.exec(flags)![0]));
  command
    .summary("Estimates how a run that workers share scales.")
    .description(
      "Simulates the rounds of a run that workers share (train --nats), from times measured with few workers and assumed " +
        "lines, and prints the speed-up over one machine and, in brackets, the share of what the machines do apart. The same options give the same numbers.",
    );
  for (const option of [
    new Option("--workers <list>", "numbers of workers")
      .argParser(numbers("--workers", wholeNumber("--workers", 1, 100_000)))
      .default([1, 2, 4, 8, 16, 32, 64, 128, 256], "1 to 256"),
    new Option("--links <list>", "rates of the line of each worker and of the coordinator, in Mbit/s")
      .argParser(numbers("--links", positiveNumber("--links")))
      .default([1000, 100, 20], "1000,100,20"),
    positive("--server <rate>", "rate of the server's line, in Mbit/s").default(1000),
    share("--latency <ms>", "time of a message to the server").default(10),
    positive("--step-ms <ms>", "time of a step on one worker").default(75),
    whole("--parameters <number>", "values of the model", 1).default(45_274),
    whole("--inner-steps <number>", "steps of a worker in a round", 1).default(100),
    whole("--change-bytes <number>", "bytes of a value in a change: 2 or 4", 2).default(2),
    share("--add-ns <ns>", "time in which the coordinator adds one value of one change").default(100),
    share("--round-ms <ms>", "time of a round that depends on nothing else").default(200),
    share("--spread <share>", "standard deviation of the speeds of the machines").default(0.1),
    share("--round-spread <share>", "standard deviation of the speed of a machine from round to round").default(0.05),
    positive("--quorum <share>", "share of the workers that a round waits for").default(0.5),
    whole("--rounds <number>", "rounds to simulate", 1).default(50),
    whole("--seed <number>", "seed of the speeds", 0).default(1),
    new DeclaredOption("--json <file>", "write the inputs and all results as JSON, such as SCALE.json").withFacts({
      file: "output",
    }),
  ])
    command.addOption(option);
  return command.addHelpText("after", EXAMPLES).action(benchCluster);
}

/** Bytes per second of a rate in Mbit/s. */
const rateOf = (megabits: number) => (megabits * 1e6) / 8;

/** A worker that is slower than the quorum has at least this time: five reports. */
const GRACE_SECONDS = 5;

function scaleOptions(flags: ScaleFlags, workers: number, link: number): ScaleOptions {
  if (flags.quorum > 1)
    throw new OptionError({ where: "--quorum", what: `${flags.quorum} is no share`, fix: "Give at most 1" });
  return {
    workers,
    rounds: flags.rounds,
    innerSteps: flags.innerSteps,
    stepSeconds: flags.stepMs / 1000,
    parameters: flags.parameters,
    changeBytes: flags.changeBytes,
    linkRate: rateOf(link),
    serverRate: rateOf(flags.server),
    latencySeconds: flags.latency / 1000,
    addSeconds: flags.addNs / 1e9,
    roundSeconds: flags.roundMs / 1000,
    spread: { machines: flags.spread, rounds: flags.roundSpread },
    quorum: flags.quorum,
    graceSeconds: GRACE_SECONDS,
    seed: flags.seed,
  };
}

interface Row {
  readonly workers: number;
  readonly link: number;
  readonly result: ScaleResult;
}

async function benchCluster(flags: ScaleFlags): Promise<void> {
  const rows = flags.workers.flatMap((workers) =>
    flags.links.map((link): Row => ({ workers, link, result: simulateRun(scaleOptions(flags, workers, link)) })),
  );
  print([...inputLines(flags), "", ...table(flags, rows)]);
  const { json, ...inputs } = flags;
  if (json === undefined) return;
  await writeFileAtomically(json, new TextEncoder().encode(JSON.stringify({ inputs, rows }, undefined, 2) + "\n"));
  say(["", ...field("report", json)]);
}

function inputLines(flags: ScaleFlags): string[] {
  const megabytes = (bytes: number) => `${shortNumber((bytes * flags.parameters) / 1e6)} MB`;
  return [
    `a round is ${flags.innerSteps} steps of ${shortNumber(flags.stepMs)} ms; a worker reads ${megabytes(4)} and sends ${megabytes(flags.changeBytes)}`,
    `server ${shortNumber(flags.server)} Mbit/s, latency ${shortNumber(flags.latency)} ms, ${shortNumber(flags.addNs)} ns for each value of a change, ${shortNumber(flags.roundMs)} ms a round`,
    `speeds differ by ${percent(flags.spread)} between machines and ${percent(flags.roundSpread)} between rounds; quorum ${percent(flags.quorum)}, seed ${flags.seed}`,
  ];
}

/** The speed-up and the efficiency of each number of workers, by line. */
function table({ workers, links }: ScaleFlags, rows: readonly Row[]): string[] {
  const line = (first: string, cells: readonly string[]) =>
    first.padEnd(9) + cells.map((cell) => cell.padStart(20)).join("");
  const cell = (count: number, link: number) => {
    const { speedup, efficiency } = rows.find((row) => row.workers === count && row.link === link)!.result;
    return `${speedup.toFixed(1)} × (${percent(efficiency)})`;
  };
  return [
    line(
      "workers",
      links.map((link) => `${shortNumber(link)} Mbit/s`),
    ),
    ...workers.map((count) =>
      line(
        String(count),
        links.map((link) => cell(count, link)),
      ),
    ),
  ];
}
