import { join } from "node:path";
import { Option, type Command } from "commander";
import { ObjectBucket } from "../../cluster/objects.ts";
import type { SweepDescription } from "../../cluster/sweeps/description.ts";
import { DATA, ID } from "../../cluster/sweeps/names.ts";
import { setUpSweeps } from "../../cluster/sweeps/set-up.ts";
import { loadSweep, storeSweep } from "../../cluster/sweeps/store.ts";
import type { NatsLink } from "../../cluster/connection.ts";
import { excerpt, OptionError } from "../../errors.ts";
import { makeFolderOrRefuse } from "../../node/files.ts";
import { version } from "../../version.ts";
import { applyConfigFile, configOption, configurationOf } from "../options/config.ts";
import { mnistPaths } from "../options/data-options.ts";
import { DeclaredOption } from "../options/declared-option.ts";
import {
  connectBy,
  natsOptions,
  requireNatsAddress,
  writtenNatsOptions,
  type NatsFlags,
} from "../options/nats-options.ts";
import { settleNetwork } from "../options/network-choice.ts";
import { optionPaths, requireSeparatePaths } from "../options/paths.ts";
import { plannedSweep, searchOptions, type SweepPlan } from "../options/search-options.ts";
import { trainOptions, type TrainFlags } from "../options/train-options.ts";
import { uploadPreparedTrials } from "../cluster/prepared-upload.ts";
import { uploadData } from "../sweep/data-transfer.ts";
import { RemoteSweep } from "../sweep/remote-sweep.ts";
import { filesOf, Sweep } from "../sweep/sweep.ts";
import { say, shellQuoted } from "../text/terminal.ts";
import { adapterText, counted, field } from "../text/text.ts";
import { trainingBackend } from "../training/backend.ts";
import { loadStartingModel, type StartingModel } from "../training/starting-model.ts";

interface SweepFlags extends NatsFlags {
  readonly out: string;
  readonly config?: string;
  readonly attach?: string;
  readonly browsers: boolean;
}

const EXAMPLES = `
Example:
  wgrad sweep --grid lr=0.001,0.002 --grid hidden=64,128 --epochs 2 --out runs
  wgrad sweep --csv flowers.csv --label species --grid "hidden=8;8,4" --out runs
  wgrad sweep --random 20 --range lr=1e-4..1e-2:log --range batch=16..64 --out r
  wgrad sweep --random 81 --range lr=1e-5..1e-1:log --search asha --out runs
  wgrad sweep --grid lr=0.001,0.002 --out runs --nats nats://host:4222

The folder holds a file for each finished run: the same command continues an
interrupted sweep, and a command with more values trains only the missing runs.
The best model has the lowest validation loss of all runs in the folder.
With --nats, workers train the runs: start "wgrad worker" on any machine.`;

/** `wgrad sweep`. */
export function sweepCommand(command: Command): Command {
  command.description(
    "Trains with several settings, compares the runs on held-out examples, and keeps the best model.",
  );
  for (const option of searchOptions()) command.addOption(option);
  command.addOption(
    new DeclaredOption("--out <folder>", "folder for the results and the best model")
      .withFacts({ file: "output" })
      .makeOptionMandatory(),
  );
  for (const option of trainOptions()) {
    if (option.facts.sweep === "none") continue;
    if (option.attributeName() === "validation") {
      option.default(0.1).description = "fraction of the examples held out to compare the runs, stratified by class";
    }
    command.addOption(option);
  }
  for (const option of natsOptions("let workers train the runs")) command.addOption(option);
  return command
    .addOption(
      new Option(
        "--browsers",
        "let browsers train runs as well, with the page's ?lend: also store the data and the models as they read them",
      )
        .default(false)
        .helpGroup("NATS:"),
    )
    .addOption(
      new Option(
        "--attach <name>",
        "return to a sweep that was started with --nats, instead of starting one",
      ).helpGroup("NATS:"),
    )
    .addOption(configOption())
    .addHelpText("after", EXAMPLES)
    .action(() => sweep(command));
}

async function sweep(command: Command): Promise<void> {
  const { config, attach, nats, out, browsers } = command.opts<SweepFlags>();
  requireNatsAddress(command);
  if (browsers && nats === undefined)
    throw new OptionError({ where: "--browsers", what: "there is no server to connect to", fix: "Add --nats" });
  if (attach !== undefined) return returnTo(command, attach);
  if (config !== undefined) await applyConfigFile(command, config);
  const plan = plannedSweep(command);
  settleNetwork(command, [...new Set(plan.runs.flatMap((changes) => Object.keys(changes)))]);
  const start = await loadStartingModel(command);
  const flags = command.opts<TrainFlags>();
  if (flags.validation === 0) {
    throw new OptionError({
      where: "--validation",
      what: "the runs of a sweep are compared on held-out examples, but none are held out",
      fix: "Give a fraction above 0, such as 0.1",
    });
  }
  const { inputs, outputs } = optionPaths(command.options, flags);
  const files = filesOf(plan.runs, configurationOf(command), plan.search);
  const results = files.map((name) => ({ option: "--out", path: join(out, name) }));
  requireSeparatePaths({ inputs: [...inputs, ...mnistPaths(flags)], outputs: [...outputs, ...results] });
  await makeFolderOrRefuse(out);
  if (nats !== undefined) await sweepWithWorkers(command, plan, start);
  else await sweepHere(command, plan, start);
}

async function sweepHere(command: Command, plan: SweepPlan, start: StartingModel | undefined): Promise<void> {
  const { out } = command.opts<SweepFlags>();
  const flags = command.opts<TrainFlags>();
  const backend = await trainingBackend(flags);
  try {
    say(field("sweep", `${counted(plan.runs.length, "run")} in ${out}`));
    say(field("adapter", adapterText(backend)));
    const common = { flags, configuration: configurationOf(command), backend, start };
    await new Sweep(out, common).runAll(plan.runs, plan.search);
  } finally {
    backend.dispose();
  }
}

/** Stores the sweep on a server, and follows it. */
async function sweepWithWorkers(
  command: Command,
  { runs, search }: SweepPlan,
  start: StartingModel | undefined,
): Promise<void> {
  const { rungs, parallel } = search;
  const { browsers } = command.opts<SweepFlags>();
  const flags = command.opts<TrainFlags>();
  await withServer(command, async (link) => {
    await setUpSweeps(link, { browsers });
    const bucket = await ObjectBucket.open(link, DATA);
    const data = await uploadData(flags, bucket);
    const configuration = configurationOf(command);
    const trials = { flags, configuration, start, runs, hasRungs: rungs !== undefined };
    const prepared = browsers && { prepared: await uploadPreparedTrials(trials, bucket) };
    const name = await storeSweep(link, { version, configuration, runs, data, rungs, parallel, ...prepared });
    await follow(command, link, name, await loadSweep(link, name));
  });
}

/** The options with which a command returns to a sweep, besides those of the connection. */
const RETURNING: readonly string[] = ["attach", "out", "browsers"];

/** @throws OptionError for an option that would have no effect, because a sweep that has started keeps its own */
function requireNoNewOptions(command: Command): void {
  const known = [...RETURNING, ...natsOptions("").map((option) => option.attributeName())];
  const other = command.options.find((option) => {
    const name = option.attributeName();
    return command.getOptionValueSource(name) === "cli" && !known.includes(name);
  });
  if (!other) return;
  throw new OptionError({
    where: other.long ?? other.flags,
    what: "a sweep that has started keeps its own options",
    fix: "Omit it, or omit --attach to start another sweep",
  });
}

/** @throws OptionError if browsers are to train the trials of a sweep that stored nothing for them */
function requirePrepared(name: string, { prepared }: SweepDescription): void {
  if (prepared) return;
  throw new OptionError({
    where: "--browsers",
    what: `sweep ${name} was started without it, so the server does not have what browsers need`,
    fix:
      `Omit it; or end this sweep with \`wgrad cancel ${name}\`, and start another one with the same options and --browsers, ` +
      "which trains all runs again",
  });
}

async function returnTo(command: Command, name: string): Promise<void> {
  requireNoNewOptions(command);
  if (!ID.test(name)) {
    const what = `${excerpt(name)} is not the name of a sweep`;
    throw new OptionError({
      where: "--attach",
      what,
      fix: "Give the name that the sweep printed, such as 0123456789ab",
    });
  }
  const { out, browsers } = command.opts<SweepFlags>();
  await makeFolderOrRefuse(out);
  await withServer(command, async (link) => {
    const description = await loadSweep(link, name);
    if (browsers) requirePrepared(name, description);
    await follow(command, link, name, description);
  });
}

async function follow(command: Command, link: NatsLink, name: string, description: SweepDescription): Promise<void> {
  const { out, nats } = command.opts<SweepFlags>();
  const attach = `wgrad sweep --attach ${name} ${writtenNatsOptions(command)} --out ${shellQuoted(out)}`;
  say(field("sweep", `${name}: ${counted(description.runs.length, "run")} in ${out}`));
  say(field("workers", `any number of \`wgrad worker --nats ${shellQuoted(nats!)}\``));
  await new RemoteSweep(link, name, description, out).run(attach);
}

async function withServer(command: Command, use: (link: NatsLink) => Promise<void>): Promise<void> {
  const { nats, ...flags } = command.opts<SweepFlags>();
  if (nats === undefined)
    throw new OptionError({ where: "--attach", what: "there is no server to connect to", fix: "Add --nats" });
  const link = await connectBy({ ...flags, nats }, { role: "owner", name: "wgrad sweep" });
  try {
    await use(link);
  } finally {
    await link.close();
  }
}
