import { Option, type Command } from "commander";
import { WgradError } from "../../errors.ts";
import { trainWithWorkers, type SharedTraining } from "../cluster/shared-training.ts";
import { workerOptions, workerStepText } from "../cluster/worker-options.ts";
import { crossValidate, requireNoModelOptions } from "../folds/cross-validation.ts";
import { applyConfigFile, configOption, configurationOf } from "../options/config.ts";
import { loadTrainingSource, partsText, type TrainingSource } from "../data/data-source.ts";
import { settledFlags, settledOptions } from "../options/defaults.ts";
import { trainingBackend } from "../training/backend.ts";
import { RunKeeper, runIdentity } from "../training/checkpointing.ts";
import { debugs } from "../../node/debug.ts";
import { endFinished, endInterrupted } from "../training/ending.ts";
import { EventLog } from "../training/event-log.ts";
import { logFormatOf } from "../training/log-format.ts";
import { fitWithProgress } from "../training/fitting.ts";
import { Interruption } from "../training/interrupt.ts";
import { describeNetwork } from "../training/network.ts";
import { settleNetwork } from "../options/network-choice.ts";
import { connectBy } from "../options/nats-options.ts";
import { sharingOf, sharingOptions, type SharingFlags } from "../options/sharing-options.ts";
import { requireSeparatePaths } from "../options/paths.ts";
import { planTable } from "../text/plan-table.ts";
import { resolvedConfiguration } from "../options/resolved.ts";
import { requireWritable } from "../options/writable.ts";
import { print, say, warn } from "../text/terminal.ts";
import { adapterText, count, counted, field, shortNumber } from "../text/text.ts";
import { dataForStart, loadStartingModel, startText, type StartingModel } from "../training/starting-model.ts";
import { trainPaths } from "../training/train-paths.ts";
import { startReport } from "../training/train-report.ts";
import { trainOptions, type TrainFlags } from "../options/train-options.ts";
import { prepare, type Run, type Subject } from "../training/training-run.ts";

const EXAMPLES = `
Example:
  wgrad train --hidden 256,128 --epochs 5 --out digits.safetensors
  wgrad train --preset cnn --epochs 8 --out digits.safetensors
  wgrad train --layers "conv 16 3x3 relu, maxpool 2, flatten, dense 10"
  wgrad train --preset cnn --epochs 20 --augment shift,rotate
  wgrad train --csv flowers.csv --label species --validation 0.2 --patience 10
  wgrad train --csv homes.csv --label price --task regression --missing mean
  wgrad train --csv flowers.csv --label species --folds 5
  wgrad train --images pets --size 64x64 --validation 0.1
  wgrad train --text plays.txt --preset gpt-nano --out plays.safetensors
  wgrad train --preset cnn --nats nats://host:4222 --workers 4
  wgrad train --config run.json --lr 0.001 --print-config`;

/** `wgrad train`. */
export function trainCommand(command: Command): Command {
  command.description(
    "Trains a network on MNIST, on built-in digits if there is no MNIST, or on your own images, table or text.",
  );
  for (const option of trainOptions()) command.addOption(option);
  for (const option of sharingOptions()) command.addOption(option);
  return command
    .addOption(configOption())
    .addOption(new Option("--print-config", "print every option with its value as a configuration file, and exit"))
    .addHelpText("after", EXAMPLES)
    .action(() => train(command));
}

async function train(command: Command): Promise<void> {
  const { config, printConfig } = command.opts<{ config?: string; printConfig?: true }>();
  if (config !== undefined) await applyConfigFile(command, config);
  settleNetwork(command);
  const start = await loadStartingModel(command);
  const given = configurationOf(command);
  const flags = command.opts<TrainFlags & SharingFlags>();
  const sharing = sharingOf(command);
  if (printConfig) return printConfiguration(flags, start);
  requireSeparatePaths(await trainPaths(command));
  if (flags.folds !== undefined) return trainFolds({ ...flags, folds: flags.folds }, given, start);
  if (flags.out !== undefined) await requireWritable(flags.out, "the model", "--out");
  if (flags.report !== undefined) await requireWritable(flags.report, "the report", "--report");
  const log =
    flags.log === undefined ? undefined : new EventLog(flags.log, logFormatOf(flags.log, flags.logFormat), warn);
  try {
    const data = await dataOf(flags, start);
    const settled = settledFlags(flags, data);
    const configuration = { ...given, ...settledOptions(settled) };
    const backend = await trainingBackend(flags);
    if (backend.kind === "webgpu" && backend.adapter.software)
      warn(`${backend.adapter.name} is a software adapter. --device wasm is faster on this machine.`);
    try {
      const run = { flags: settled, configuration, data, backend, start };
      if (sharing) await trainShared(run, { given, sharing, flags, log });
      else await trainOn(run, log);
    } finally {
      backend.dispose();
    }
  } finally {
    log?.close();
  }
}

/** Trains a model for each fold. */
async function trainFolds(
  flags: TrainFlags & { readonly folds: number },
  configuration: Run["configuration"],
  start: StartingModel | undefined,
): Promise<void> {
  requireNoModelOptions(flags);
  if (flags.foldPredictions !== undefined)
    await requireWritable(flags.foldPredictions, "the predictions", "--fold-predictions");
  const backend = await trainingBackend(flags);
  try {
    await crossValidate({ flags, configuration, backend, start });
  } finally {
    backend.dispose();
  }
}

async function dataOf(flags: TrainFlags, start: StartingModel | undefined): Promise<TrainingSource> {
  const data = await loadTrainingSource(flags);
  return start && data.kind === "examples" ? dataForStart(data, start) : data;
}

/** Prints every option. Options whose values depend on the data are null if the data cannot be read. */
async function printConfiguration(flags: TrainFlags, start: StartingModel | undefined): Promise<void> {
  let configuration = resolvedConfiguration(flags);
  try {
    const data = await dataOf(flags, start);
    const backend = await trainingBackend(flags);
    configuration = resolvedConfiguration(flags, { data, backend });
    backend.dispose();
  } catch (error) {
    if (!(error instanceof WgradError)) throw error;
    warn(`Options that depend on the data or the device are printed as given: ${error.message}`);
  }
  print(JSON.stringify(configuration, undefined, 2).split("\n"));
}

/** Trains, and prints, logs and saves the outcome. */
async function trainOn(run: Run, log: EventLog | undefined): Promise<void> {
  const { flags, configuration, data } = run;
  const keeper = await RunKeeper.open(flags, () => runIdentity(configuration, data), warn);
  const subject = await prepare(run, keeper?.resumeFrom);
  await log?.begin(keeper?.resumeFrom?.step ?? 0);
  announce(run, subject, keeper);
  const startupSeconds = performance.now() / 1000;
  const report = flags.report === undefined ? undefined : await startReport(flags.report, run, subject);
  const interruption = new Interruption();
  const { signal } = interruption;
  const fitted = await fitWithProgress({ run, subject, log, keeper, recorder: report?.recorder, signal }).finally(() =>
    interruption.stopListening(),
  );
  const ending = { run, subject, log, keeper, report, fitted, startupSeconds };
  if (interruption.exitCode === undefined) return endFinished(ending);
  process.exitCode = interruption.exitCode;
  await endInterrupted(ending);
}

/** Trains together with workers, and prints, logs and saves the outcome. */
async function trainShared(
  run: Run,
  { given, sharing, flags, log }: Pick<SharedTraining, "given" | "sharing" | "log"> & { readonly flags: SharingFlags },
): Promise<void> {
  const nats = flags.nats!;
  const own = workerOptions(run, sharing.workers, flags.workerBatch);
  const shared = { ...run, flags: { ...run.flags, ...own }, configuration: { ...run.configuration, ...own } };
  const subject = await prepare(shared);
  await log?.begin(0);
  announce(shared, subject, undefined);
  say(workerStepText(run, own));
  const link = await connectBy({ ...flags, nats }, { role: "owner", name: "wgrad train" });
  try {
    const { browsers = false } = flags;
    const all = { ...given, ...own };
    await trainWithWorkers({ link, nats, sharing, run: shared, subject, given: all, log, browsers });
  } finally {
    await link.close();
    subject.trainer.dispose();
  }
}

/** Prints warnings and the summary of the run before its first step. */
function announce(run: Run, subject: Subject, keeper: RunKeeper | undefined): void {
  const { trainer } = subject;
  if (debugs("plan")) print(planTable(trainer.dispatches), process.stderr);
  for (const warning of run.data.warnings) warn(warning);
  describe(run, subject);
  if (keeper?.resumeFrom) say(field("resumed", `at step ${count(trainer.step)}, from ${keeper.lastGood}`));
}

/** Prints the data, the adapter, the network and the training settings. */
function describe(run: Run, { model, trainer }: Subject): void {
  const { flags, data, backend, start } = run;
  const { batchSize, totalSteps } = trainer;
  const warmup = flags.warmup > 0 ? ` after ${counted(flags.warmup, "step")} of warmup` : "";
  const rate = `learning rate ${shortNumber(flags.lr)} (${flags.schedule}${warmup})`;
  say([
    ...field("data", `${data.source}:`, ` ${partsText(data)}`),
    ...data.notes,
    ...field("adapter", adapterText(backend)),
    ...field("network", describeNetwork(flags, model)),
    ...(start && data.kind === "examples" ? startText(start, data.train) : []),
    ...(flags.augment === undefined ? [] : field("augment", flags.augment)),
    ...(flags.classWeights === undefined ? [] : field("weights", `of the classes: ${String(flags.classWeights)}`)),
    ...field("training", `${counted(totalSteps, "step")} of ${count(batchSize)}, ${flags.optimizer}, ${rate}`),
  ]);
}
