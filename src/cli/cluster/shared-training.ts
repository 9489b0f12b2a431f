/*
 * `wgrad train --nats`: starts or continues a run that workers train together, coordinates it, and saves its model.
 */
import type { NatsLink } from "../../cluster/connection.ts";
import { ObjectBucket } from "../../cluster/objects.ts";
import { Coordinator, type CoordinatedRound } from "../../cluster/training/coordinator.ts";
import { flattened, layoutOf, unflattened } from "../../cluster/training/layout.ts";
import type { SharingSettings } from "../../cluster/training/messages.ts";
import { DATA, newMember } from "../../cluster/training/names.ts";
import type { SharedOptions } from "../../cluster/training/rounds.ts";
import { storeRun } from "../../cluster/training/run-store.ts";
import { setUpTraining } from "../../cluster/training/set-up.ts";
import type { StoppingProgress } from "../../train/index.ts";
import { version } from "../../version.ts";
import { trainOptions } from "../options/train-options.ts";
import { uploadData } from "../sweep/data-transfer.ts";
import { say, shellQuoted, warn } from "../text/terminal.ts";
import { count, counted, field, outcomeText } from "../text/text.ts";
import type { EventLog } from "../training/event-log.ts";
import { speedFields } from "../training/fitting.ts";
import { Interruption } from "../training/interrupt.ts";
import { ProgressLine } from "../training/progress.ts";
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

/** Trains with workers until the run ends, or until it is interrupted. */
export async function trainWithWorkers(training: SharedTraining): Promise<void> {
  const { link, nats, sharing, run, subject, given, browsers } = training;
  await setUpTraining(link);
  const bucket = await ObjectBucket.open(link, DATA);
  const data = await uploadData(run.flags, bucket);
  const prepared = browsers && { prepared: await uploadPrepared(run, subject, bucket) };
  const name = await storeRun(link, { version, configuration: sharedOptions(given), data, sharing, ...prepared });
  say([
    ...field("run", `${name}: ${counted(sharing.innerSteps, "step")} a round, ${counted(sharing.workers, "worker")}`),
    ...field("workers", `any number of \`wgrad worker --nats ${shellQuoted(nats)}\``),
  ]);
  const interruption = new Interruption();
  try {
    const last = await new SharedProgress(training, name, interruption.signal).follow();
    if (last && last.record.steps >= subject.trainer.totalSteps) return await end(training, last);
    const { steps = 0 } = last?.record ?? {};
    say(`left at step ${count(steps)} of ${count(subject.trainer.totalSteps)}; the same command continues the run`);
    process.exitCode = interruption.exitCode ?? 0;
  } finally {
    interruption.stopListening();
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

/** Coordinates a run, and shows and logs its rounds. */
class SharedProgress {
  readonly #training: SharedTraining;
  readonly #name: string;
  readonly #signal: AbortSignal;
  readonly #line: ProgressLine;
  readonly #began = performance.now();
  #firstStep: number | undefined;
  #workers = "";

  constructor(training: SharedTraining, name: string, signal: AbortSignal) {
    [this.#training, this.#name, this.#signal] = [training, name, signal];
    this.#line = new ProgressLine(process.stdout, unitOf(training.run));
  }

  /** @returns the last round; undefined if there was none */
  async follow(): Promise<CoordinatedRound | undefined> {
    const { link, sharing, subject } = this.#training;
    const layout = layoutOf(subject.model);
    const { parameters } = await subject.trainer.snapshot();
    const run = {
      name: this.#name,
      layout,
      options: optionsOf(this.#training),
      sharing,
      initial: flattened(layout, parameters),
    };
    const coordinator = new Coordinator(run, {
      link,
      owner: newMember(),
      version,
      signal: this.#signal,
      log: (line) => this.#warn(line),
    });
    let last: CoordinatedRound | undefined;
    try {
      for await (last of coordinator.rounds()) this.#show(last);
      return last;
    } finally {
      this.#line.finish();
    }
  }

  #warn(line: string): void {
    this.#line.finish();
    warn(line);
  }

  #show({ record }: CoordinatedRound): void {
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
    const progress = this.#progress(record);
    this.#line.show(progress);
    this.#training.log?.write({
      event: "progress",
      round: record.round + 1,
      step: progress.step,
      epoch: progress.epoch,
      loss: progress.loss,
      workers,
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

/** Evaluates and saves the model of a run that finished. */
async function end({ run, subject, log }: SharedTraining, { values, record }: CoordinatedRound): Promise<void> {
  const { trainer, model } = subject;
  const { optimizer } = await trainer.snapshot();
  trainer.restore({ step: record.steps, optimizer, parameters: unflattened(layoutOf(model), values) });
  const outcome = await measure(run, trainer);
  say(outcomeText(outcome));
  const { accuracy, loss } = outcome.evaluation;
  log?.write({
    event: "done",
    [`${outcome.part}Accuracy`]: accuracy,
    [`${outcome.part}Loss`]: loss,
    steps: record.steps,
  });
  if (run.flags.out === undefined) return;
  await saveRun(run.flags.out, run, subject, outcome);
  say(field("model", run.flags.out));
}
