/*
 * `wgrad train --nats`: starts or continues a run that workers train together, coordinates it, and saves its model.
 */
import type { NatsLink } from "../../cluster/connection.ts";
import { ObjectBucket } from "../../cluster/objects.ts";
import { isUnreachable, whileUnreachable } from "../../cluster/retry.ts";
import { Cancellation } from "../../cluster/training/cancel.ts";
import { Coordinator, type CoordinatedRound } from "../../cluster/training/coordinator.ts";
import { flattened, layoutOf, unflattened } from "../../cluster/training/layout.ts";
import type { SharingSettings } from "../../cluster/training/messages.ts";
import { DATA, newMember } from "../../cluster/training/names.ts";
import type { SharedOptions } from "../../cluster/training/rounds.ts";
import { RunStore, storeRun } from "../../cluster/training/run-store.ts";
import { setUpTraining } from "../../cluster/training/set-up.ts";
import { timelineOf } from "../../cluster/training/timeline.ts";
import type { Stop, StoppingProgress } from "../../train/index.ts";
import { version } from "../../version.ts";
import { trainOptions } from "../options/train-options.ts";
import { uploadData } from "../sweep/data-transfer.ts";
import { say, shellQuoted, warn } from "../text/terminal.ts";
import { count, counted, field, outcomeText } from "../text/text.ts";
import { timelineText } from "../text/timeline-text.ts";
import type { EventLog } from "../training/event-log.ts";
import { speedFields } from "../training/fitting.ts";
import { Interruption } from "../training/interrupt.ts";
import { ProgressLine } from "../training/progress.ts";
import { startReport, type RunReport } from "../training/train-report.ts";
import { measure, saveRun, unitOf, type Run, type Subject } from "../training/training-run.ts";
import { uploadPrepared } from "./prepared-upload.ts";

export interface SharedTraining {
  readonly link: NatsLink;
  /** The address of the server, for messages. */
  readonly nats: string;
  readonly sharing: SharingSettings;
  readonly run: Run;
  readonly subject: Subject;
  /** The options that were given, by name. */
  readonly given: Readonly<Record<string, unknown>>;
  readonly log: EventLog | undefined;
  /** Whether browsers may join. */
  readonly browsers: boolean;
}

/** The exit code of a run that was cancelled. */
const CANCELLED = 1;

/** Trains with workers until the run ends, or until it is interrupted or cancelled. */
export async function trainWithWorkers(training: SharedTraining): Promise<void> {
  const { link, nats, sharing, run, subject, given, browsers } = training;
  await setUpTraining(link);
  const bucket = await ObjectBucket.open(link, DATA);
  const data = await uploadData(run.flags, bucket);
  const prepared = browsers && { prepared: await uploadPrepared(run, subject, bucket) };
  const name = await storeRun(link, { version, configuration: sharedOptions(given), data, sharing, ...prepared });
  const steps = `${counted(sharing.innerSteps, "step")} a round${sharing.isAdaptive ? " at first" : ""}`;
  say([
    ...field("run", `${name}: ${steps}, ${counted(sharing.workers, "worker")}`),
    ...field("workers", `any number of \`wgrad worker --nats ${shellQuoted(nats)}\``),
  ]);
  const report = run.flags.report === undefined ? undefined : await startReport(run.flags.report, run, subject);
  const [interruption, cancellation] = [new Interruption(), new Cancellation(link, name)];
  try {
    const signal = AbortSignal.any([interruption.signal, cancellation.signal]);
    const progress = new SharedProgress({ ...training, name, report, signal });
    const last = await progress.follow();
    if (last && last.record.steps >= subject.trainer.totalSteps) return await end({ ...training, name, report }, last);
    process.exitCode = interruption.exitCode ?? CANCELLED;
    const how = cancellation.signal.aborted ? "cancelled" : "left";
    await leave({ ...training, name, report }, how, last?.record.steps ?? 0);
  } finally {
    interruption.stopListening();
    cancellation.stop();
  }
}

/** The options that workers get: those that a trial of a sweep may have. */
function sharedOptions(given: SharedTraining["given"]): Record<string, unknown> {
  const options = trainOptions().filter(({ facts }) => facts.sweep !== "none");
  const names = new Set(options.map((option) => option.attributeName()));
  return Object.fromEntries(Object.entries(given).filter(([name]) => names.has(name)));
}

function optionsOf({ sharing, subject }: SharedTraining): SharedOptions {
  const { totalSteps } = subject.trainer;
  const { innerSteps, outer, changeType } = sharing;
  return { innerSteps, outer, changeType, totalSteps };
}

/** A run that has a name, because the server knows it. */
interface NamedTraining extends SharedTraining {
  readonly name: string;
  readonly report: RunReport | undefined;
}

/** Gives the trainer the values after a round. */
async function setValues({ model, trainer }: Subject, step: number, values: Float32Array): Promise<void> {
  const { optimizer } = await trainer.snapshot();
  trainer.restore({ step, optimizer, parameters: unflattened(layoutOf(model), values) });
}

/** Coordinates a run, and shows and logs its rounds. */
class SharedProgress {
  readonly #training: NamedTraining & { readonly signal: AbortSignal };
  readonly #line: ProgressLine;
  readonly #began = performance.now();
  #firstStep: number | undefined;
  #workers = "";

  constructor(training: NamedTraining & { readonly signal: AbortSignal }) {
    this.#training = training;
    this.#line = new ProgressLine(process.stdout, unitOf(training.run));
  }

  /** @returns the last round; undefined if there was none */
  async follow(): Promise<CoordinatedRound | undefined> {
    const { link, name, signal, sharing, subject } = this.#training;
    const layout = layoutOf(subject.model);
    const { parameters } = await subject.trainer.snapshot();
    const run = {
      name,
      layout,
      options: optionsOf(this.#training),
      sharing,
      initial: flattened(layout, parameters),
    };
    const coordinator = new Coordinator(run, {
      link,
      owner: newMember(),
      version,
      signal,
      log: (line) => this.#warn(line),
    });
    let last: CoordinatedRound | undefined;
    try {
      for await (last of coordinator.rounds()) await this.#show(last);
      return last;
    } finally {
      this.#line.finish();
    }
  }

  #warn(line: string): void {
    this.#line.finish();
    warn(line);
  }

  async #show({ record, values }: CoordinatedRound): Promise<void> {
    const { participants, names } = record;
    const workers = participants.map(({ worker }) => names[worker] ?? worker).sort();
    if (workers.join() !== this.#workers) {
      this.#line.finish();
      say(field("round", `${record.round + 1}: ${workers.join(", ")}`));
    }
    this.#workers = workers.join();
    for (const { worker, factor } of participants)
      if (factor < 1)
        this.#warn(`The change of worker ${names[worker] ?? worker} was far larger than the others, and was clipped.`);
    const { subject, report } = this.#training;
    const progress = this.#progress(record);
    this.#line.show(progress);
    if (report) {
      await setValues(subject, record.steps, values);
      await report.recorder.progress(progress);
    }
    this.#training.log?.write({
      event: "progress",
      round: record.round + 1,
      step: progress.step,
      epoch: progress.epoch,
      loss: progress.loss,
      workers,
      innerSteps: record.innerSteps,
      ...speedFields(progress.examplesPerSecond, unitOf(this.#training.run)),
    });
  }

  #progress({ participants, steps }: CoordinatedRound["record"]): StoppingProgress {
    const { trainer } = this.#training.subject;
    const { totalSteps, stepsPerEpoch, batchSize } = trainer;
    const examples = participants.reduce((sum, one) => sum + one.examples, 0);
    const loss = participants.reduce((sum, one) => sum + (one.loss * one.examples) / examples, 0);
    this.#firstStep ??= steps - examples / batchSize;
    const seconds = (performance.now() - this.#began) / 1000;
    return {
      step: steps,
      totalSteps,
      epoch: Math.ceil(steps / stepsPerEpoch),
      epochs: Math.ceil(totalSteps / stepsPerEpoch),
      loss,
      accuracy: NaN,
      learningRate: NaN,
      skipped: [],
      seconds,
      examplesPerSecond: ((steps - this.#firstStep) * batchSize) / seconds,
    };
  }
}

/** Evaluates and saves the model of a run that finished, and shows what its workers did. */
async function end(training: NamedTraining, { values, record }: CoordinatedRound): Promise<void> {
  const { run, subject, log, link, name, report } = training;
  await setValues(subject, record.steps, values);
  const outcome = await measure(run, subject.trainer);
  say(outcomeText(outcome));
  const { accuracy, loss } = outcome.evaluation;
  log?.write({
    event: "done",
    [`${outcome.part}Accuracy`]: accuracy,
    [`${outcome.part}Loss`]: loss,
    steps: record.steps,
  });
  if (run.flags.out !== undefined) {
    await saveRun(run.flags.out, run, subject, outcome);
    say(field("model", run.flags.out));
  }
  // The model is safe now, so the server may be away for a while.
  const timeline = await whileUnreachable(link, () => timelineIn(link, name));
  say(timelineText(timeline));
  const { steps: step } = record;
  const stop: Stop = { kind: "finished", step, parametersOf: step, reason: "all steps of the run were made" };
  await report?.write(undefined, stop, outcome, timeline);
}

/** Says how far a run came that is left or was cancelled, and writes its report. */
async function leave(training: NamedTraining, how: "left" | "cancelled", step: number): Promise<void> {
  const { link, name, run, subject, report } = training;
  const { trainer } = subject;
  say(`${how} at step ${count(step)} of ${count(trainer.totalSteps)}; the same command continues the run`);
  if (!report) return;
  const stop: Stop = { kind: "aborted", step, parametersOf: step, reason: how };
  try {
    await report.write(undefined, stop, await measure(run, trainer), await timelineIn(link, name));
  } catch (error) {
    if (!isUnreachable(link, error)) throw error;
    warn("The report was not written, because the server cannot be reached.");
  }
}

const timelineIn = async (link: NatsLink, name: string) =>
  timelineOf(await (await RunStore.open(link, name)).commits());
