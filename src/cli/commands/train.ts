import { setImmediate } from "node:timers/promises";
import { Option, type Command } from "commander";
import { DivergedError, WgradError } from "../../errors.ts";
import { faultText } from "../../train/guard.ts";
import type { SkippedStep, Stop, StoppingProgress } from "../../train/index.ts";
import type { ReportRecorder } from "../report/index.ts";
import { createNodeBackend } from "../../node/index.ts";
import { applyConfigFile, configOption, configurationOf } from "../options/config.ts";
import { loadTrainingSource, type TrainingSource } from "../data/data-source.ts";
import { settledFlags, settledOptions } from "../options/defaults.ts";
import { RunKeeper, runIdentity } from "../training/checkpointing.ts";
import { debugs } from "../debug.ts";
import { EventLog } from "../training/event-log.ts";
import { Interruption } from "../training/interrupt.ts";
import { LowestValidation } from "../training/lowest-validation.ts";
import { describeNetwork } from "../training/network.ts";
import { requireSeparatePaths } from "../options/paths.ts";
import { planTable } from "../text/plan-table.ts";
import { ProgressLine } from "../training/progress.ts";
import { resolvedConfiguration } from "../options/resolved.ts";
import { requireWritable } from "../options/writable.ts";
import { targetTable } from "../text/target-metrics.ts";
import { print, say, warn } from "../text/terminal.ts";
import { adapterText, count, counted, field, lossText, outcomeText, percent, rateText } from "../text/text.ts";
import { dataForStart, loadStartingModel, startText, type StartingModel } from "../training/starting-model.ts";
import { trainPaths } from "../training/train-paths.ts";
import { startReport } from "../training/train-report.ts";
import { trainOptions, type TrainFlags } from "../options/train-options.ts";
import { fitRun, measure, prepare, saveRun, trainedModel, type Outcome, type Run, type Subject } from "../training/training-run.ts";

const EXAMPLES = `
Example:
  wgrad train --hidden 256,128 --epochs 5 --out digits.safetensors
  wgrad train --csv flowers.csv --label species --validation 0.2 --patience 10
  wgrad train --csv homes.csv --label price --task regression --missing mean
  wgrad train --images photos.idx --labels kinds.idx --validation 0.1
  wgrad train --config run.json --lr 0.001 --print-config`;

/** `wgrad train`. */
export function trainCommand(command: Command): Command {
  command.description("Trains a network on MNIST, on built-in digits where there is no MNIST, or on data of your own.");
  for (const option of trainOptions()) command.addOption(option);
  return command
    .addOption(configOption())
    .addOption(new Option("--print-config", "print every option with its value as a configuration file, and train nothing"))
    .addHelpText("after", EXAMPLES)
    .action(() => train(command));
}

async function train(command: Command): Promise<void> {
  const { config, printConfig } = command.opts<{ config?: string; printConfig?: true }>();
  if (config !== undefined) await applyConfigFile(command, config);
  const start = await loadStartingModel(command);
  const given = configurationOf(command);
  const flags = command.opts<TrainFlags>();
  if (printConfig) return printConfiguration(flags, start);
  requireSeparatePaths(trainPaths(command));
  if (flags.out !== undefined) await requireWritable(flags.out, "the model", "--out");
  if (flags.report !== undefined) await requireWritable(flags.report, "the report", "--report");
  const log = flags.log === undefined ? undefined : new EventLog(flags.log, warn);
  try {
    const data = await dataOf(flags, start);
    const settled = settledFlags(flags, data);
    const configuration = { ...given, ...settledOptions(settled) };
    const backend = await createNodeBackend({ device: flags.device, log: warn });
    try {
      await trainOn({ flags: settled, configuration, data, backend, start }, log);
    } finally {
      backend.dispose();
    }
  } finally {
    log?.close();
  }
}

async function dataOf(flags: TrainFlags, start: StartingModel | undefined): Promise<TrainingSource> {
  const data = await loadTrainingSource(flags);
  return start ? dataForStart(data, start) : data;
}

/** Prints every option; those that the data settle are null where the data cannot be read. */
async function printConfiguration(flags: TrainFlags, start: StartingModel | undefined): Promise<void> {
  let configuration = resolvedConfiguration(flags);
  try {
    const data = await dataOf(flags, start);
    const backend = await createNodeBackend({ device: flags.device, log: warn });
    configuration = resolvedConfiguration(flags, { data, backend });
    backend.dispose();
  } catch (error) {
    if (!(error instanceof WgradError)) throw error;
    warn(`Options that depend on the data or the device are as they were given: ${error.message}`);
  }
  print(JSON.stringify(configuration, undefined, 2).split("\n"));
}

async function trainOn(run: Run, log: EventLog | undefined): Promise<void> {
  const { flags, configuration, data, backend } = run;
  const keeper = await RunKeeper.open(flags, () => runIdentity(configuration, data), warn);
  const subject = await prepare(run, keeper?.resumeFrom);
  await log?.begin(keeper?.resumeFrom?.step ?? 0);
  const { trainer } = subject;
  if (debugs("plan")) print(planTable(trainer.dispatches), process.stderr);
  for (const warning of data.warnings) warn(warning);
  describe(run, subject);
  if (keeper?.resumeFrom) say(field("resumed", `at step ${count(trainer.step)}, from ${keeper.lastGood}`));
  const startupSeconds = performance.now() / 1000;
  const report = flags.report === undefined ? undefined : await startReport(flags.report, run, subject);
  const recorder = report?.recorder;
  const interruption = new Interruption();
  const { reached, stop, lowest } = await fit({ run, subject, log, keeper, recorder, signal: interruption.signal }).finally(() => interruption.stopListening());
  const { seconds = 0, imagesPerSecond = 0 } = reached ?? {};
  const facts = { seconds, imagesPerSecond, examplesPerSecond: imagesPerSecond, adapter: backend.adapter.name, backend: backend.kind, seed: flags.seed, startupSeconds };
  if (interruption.exitCode !== undefined) {
    process.exitCode = interruption.exitCode;
    reportInterruption(log, keeper, reached, facts);
    if (flags.out !== undefined) say(`${flags.out} was not written: it is for a run that comes to its end.`);
    await report?.write(reached, stop, await measure(run, trainer));
    return;
  }
  if (stop.kind !== "finished") say(stopText(stop));
  if (lowest !== undefined) say(lowest);
  const began = performance.now();
  const outcome = await measure(run, trainer);
  const evaluationSeconds = (performance.now() - began) / 1000;
  say(`${outcomeText(outcome)}  (${seconds.toFixed(1)} s, ${count(imagesPerSecond)} ${unitOf(run)}/s)`);
  if (outcome.targets.length > 0) print(targetTable(outcome.targets));
  if (!Number.isFinite(outcome.evaluation.loss)) {
    warn("The loss is no finite number: the training diverged. Try a smaller --lr.");
  }
  log?.write({ event: "done", ...resultFields(outcome), ...facts, evaluationSeconds, steps: stop.step, stop: stop.kind, why: stop.reason });
  // The report is written where the model cannot be, too.
  const [saved] = await Promise.allSettled([saveNamed(flags.out, run, subject, outcome)]);
  const [reported] = await Promise.allSettled([report?.write(reached, stop, outcome)]);
  for (const result of [saved, reported]) if (result.status === "rejected") throw result.reason;
}

async function saveNamed(path: string | undefined, run: Run, subject: Subject, outcome: Outcome): Promise<void> {
  if (path === undefined) return;
  await saveRun(path, run, subject, outcome);
  say(field("model", path));
}

/** Such as testAccuracy and testLoss, or validationR2. */
function resultFields({ part, evaluation, regression, targets }: Outcome): Record<string, unknown> {
  const { accuracy, loss } = evaluation;
  const values = regression ? { Loss: loss, R2: regression.r2, Rmse: regression.rmse, Mae: regression.mae } : { Accuracy: accuracy, Loss: loss };
  const several = targets.length > 0 && { [`${part}Targets`]: targets };
  return { ...Object.fromEntries(Object.entries(values).map(([name, value]) => [`${part}${name}`, value])), ...several };
}

/** What the progress counts. */
const unitOf = ({ data }: Run) => (data.table ? "rows" : "images");

/** Prints what is trained, on which data and by what. */
function describe(run: Run, { model, trainer }: Subject): void {
  const { flags, data, backend, start } = run;
  const { batch, stepsTotal } = trainer;
  const parts = [
    `${count(data.train.count)} for training`,
    ...(data.validation ? [`${count(data.validation.count)} for validation`] : []),
    ...(data.test ? [`${count(data.test.count)} for testing`] : []),
  ];
  const warmup = flags.warmup > 0 ? ` after ${counted(flags.warmup, "step")} of warm-up` : "";
  const rate = `learning rate ${rateText(flags.lr)} (${flags.schedule}${warmup})`;
  say([
    ...field("data", `${data.source}:`, ` ${parts.join(", ")}`),
    ...data.notes,
    ...field("adapter", adapterText(backend)),
    ...field("network", describeNetwork(flags, model)),
    ...(start ? startText(start, data.train) : []),
    ...field("training", `${counted(stepsTotal, "step")} of ${count(batch)}, ${flags.optimizer}, ${rate}`),
  ]);
}

const stopText = ({ step, parametersOf, reason }: Stop): string[] => {
  const from = parametersOf === step ? "" : `; the model is that of step ${count(parametersOf)}`;
  return field("stopped", `at step ${count(step)}: ${reason}`, from);
};

interface Fitting {
  readonly run: Run;
  readonly subject: Subject;
  readonly log: EventLog | undefined;
  readonly keeper: RunKeeper | undefined;
  readonly recorder: ReportRecorder | undefined;
  readonly signal: AbortSignal;
}

interface Fitted {
  readonly reached: StoppingProgress | undefined;
  readonly stop: Stop;
  /** See `LowestValidation`. */
  readonly lowest: string[] | undefined;
}

/** Trains to the end, or until Ctrl-C is pressed. */
async function fit({ run, subject, log, keeper, recorder, signal }: Fitting): Promise<Fitted> {
  const line = new ProgressLine(process.stdout, unitOf(run));
  const checkpoint = keeper?.options((step) => trainedModel(run, subject, step));
  const steps = fitRun(run, subject.trainer, { signal, ...(checkpoint && { checkpoint }), ...(keeper && { memory: keeper.memory }) });
  const left = new LeftOut();
  const lowest = new LowestValidation();
  let reached: StoppingProgress | undefined;
  try {
    for (;;) {
      const next = await steps.next();
      if (next.done) return { reached, stop: next.value, lowest: lowest.text(next.value) };
      reached = next.value;
      line.show(reached);
      lowest.note(reached);
      keeper?.note(reached, run.data.validation !== undefined);
      if (!reached.interim) log?.write(progressEvent(reached));
      if (!reached.interim) await recorder?.progress(reached);
      for (const skipped of reached.skipped) left.tell(skipped);
      // The CPU backend never waits, and signals are heard only while the process does.
      await setImmediate();
    }
  } catch (error) {
    if (!(error instanceof DivergedError)) throw error;
    const { step, where = "", what, fix } = error;
    const good = keeper?.lastGood ? `. The last good checkpoint is ${keeper.lastGood}` : "";
    throw new DivergedError(step, { where, what, fix: `${fix}, or choose another --on-nan${good}` });
  } finally {
    line.finish();
  }
}

/** Says of the first few steps that were left out which and why, and of how many more. */
class LeftOut {
  #told = 0;

  tell({ step, place, learningRate }: SkippedStep): void {
    this.#told++;
    if (this.#told <= 3) warn(`step ${count(step)} was left out: ${faultText(place)}, at learning rate ${rateText(learningRate)}`);
    if (this.#told === 4) warn("More steps are left out, which are not told of one by one.");
  }
}

function progressEvent({ step, epoch, loss, accuracy, learningRate, imagesPerSecond, gradientNorm, validation }: StoppingProgress): object {
  return {
    event: "progress",
    step,
    epoch,
    loss,
    accuracy,
    learningRate,
    imagesPerSecond,
    examplesPerSecond: imagesPerSecond,
    ...(gradientNorm !== undefined && { gradientNorm }),
    ...(validation && { validationLoss: validation.loss, validationAccuracy: validation.accuracy }),
  };
}

function reportInterruption(
  log: EventLog | undefined,
  keeper: RunKeeper | undefined,
  reached: StoppingProgress | undefined,
  facts: object,
): void {
  const { step = 0, stepsTotal = 0, epoch = 0, loss = NaN, accuracy = NaN } = reached ?? {};
  const metrics = `loss ${lossText(loss)}${Number.isNaN(accuracy) ? "" : `, training accuracy ${percent(accuracy)}`}`;
  say(`interrupted at step ${count(step)} of ${count(stepsTotal)} (epoch ${epoch}): ${metrics}`);
  if (keeper?.lastGood) say(`The same command with --resume goes on from ${keeper.lastGood}.`);
  log?.write({ event: "interrupted", step, epoch, loss, accuracy, ...facts });
}
