/*
 * The training loop of `wgrad train`, with its progress line, log, checkpoints and report.
 */
import { setImmediate } from "node:timers/promises";
import { DivergedError } from "../../errors.ts";
import { faultText } from "../../train/guard.ts";
import type { SkippedStep, Stop, StoppingProgress } from "../../train/index.ts";
import type { ReportRecorder } from "../report/index.ts";
import { print, warn } from "../text/terminal.ts";
import { count, sampleText, shortNumber } from "../text/text.ts";
import type { RunKeeper } from "./checkpointing.ts";
import type { EventLog } from "./event-log.ts";
import type { LogEvent } from "./log-format.ts";
import { LowestValidation } from "./lowest-validation.ts";
import { ProgressLine } from "./progress.ts";
import { Sampler, type Sample } from "./samples.ts";
import { fitRun, trainedModel, unitOf, type Run, type SpeedUnit, type Subject } from "./training-run.ts";

/** A run and what records its progress. */
export interface Fitting {
  readonly run: Run;
  readonly subject: Subject;
  readonly log: EventLog | undefined;
  readonly keeper: RunKeeper | undefined;
  readonly recorder: ReportRecorder | undefined;
  readonly signal: AbortSignal;
}

/** How the training ended. */
export interface Fitted {
  /** The last event. */
  readonly reached: StoppingProgress | undefined;
  readonly stop: Stop;
  /** The lines of `LowestValidation`. */
  readonly lowest: string[] | undefined;
}

/** Trains until the end of the run, or until the signal aborts it. */
export async function fitWithProgress(fitting: Fitting): Promise<Fitted> {
  const { run, subject, keeper, signal } = fitting;
  const line = new ProgressLine(process.stdout, unitOf(run));
  const checkpoint = keeper?.options((step) => trainedModel(run, subject, step));
  const sampler = Sampler.of(run, subject);
  const pauses = sampler && { pauseEvery: sampler.every };
  const steps = fitRun(run, subject.trainer, { signal, checkpoint, memory: keeper?.memory, ...pauses });
  const skippedSteps = new SkippedSteps();
  const lowest = new LowestValidation();
  let reached: StoppingProgress | undefined;
  try {
    for (;;) {
      const next = await steps.next();
      if (next.done) return { reached, stop: next.value, lowest: lowest.text(next.value) };
      reached = next.value;
      line.show(reached);
      lowest.note(reached);
      const sample = reached.interim ? undefined : await sampler?.sampleAt(reached.step);
      if (sample) {
        line.finish();
        print(sampleText(sample));
      }
      await record(fitting, reached, sample);
      for (const skipped of reached.skipped) skippedSteps.warnOf(skipped);
      // The CPU backend never yields to the event loop, which must run for signals to be handled.
      await setImmediate();
    }
  } catch (error) {
    throw error instanceof DivergedError ? divergedError(error, keeper?.lastGood) : error;
  } finally {
    line.finish();
  }
}

async function record(
  { run, log, keeper, recorder }: Fitting,
  event: StoppingProgress,
  sample: Sample | undefined,
): Promise<void> {
  keeper?.note(event, run.data.validation !== undefined);
  if (event.interim) return;
  log?.write({ ...progressEvent(event, unitOf(run)), ...(sample && { sample: sample.text }) });
  await recorder?.progress(event);
  if (sample) recorder?.sample(sample);
}

function progressEvent(
  { step, epoch, loss, accuracy, learningRate, examplesPerSecond, gradientNorm, validation }: StoppingProgress,
  unit: SpeedUnit,
): LogEvent {
  return {
    event: "progress",
    step,
    epoch,
    loss,
    accuracy,
    learningRate,
    ...speedFields(examplesPerSecond, unit),
    ...(gradientNorm !== undefined && { gradientNorm }),
    ...(validation && { validationLoss: validation.loss, validationAccuracy: validation.accuracy }),
  };
}

/** The fields of the log for a speed. */
export const speedFields = (examplesPerSecond: number, { name, perExample }: SpeedUnit): object => ({
  ...(name === "tokens" ? { tokensPerSecond: perExample * examplesPerSecond } : { imagesPerSecond: examplesPerSecond }),
  examplesPerSecond,
});

/** The same error, with the command line's options in its advice. */
function divergedError({ step, where = "", what, fix }: DivergedError, lastGood: string | undefined): DivergedError {
  const good = lastGood ? `. The last good checkpoint is ${lastGood}` : "";
  return new DivergedError(step, { where, what, fix: `${fix}, or choose another --on-nan${good}` });
}

/** How many skipped steps are reported one by one. */
const MOST_WARNINGS = 3;

/** Warns about the first skipped steps, and once that there are more. */
class SkippedSteps {
  #count = 0;

  warnOf({ step, place, learningRate }: SkippedStep): void {
    this.#count++;
    if (this.#count <= MOST_WARNINGS) {
      warn(`step ${count(step)} was skipped: ${faultText(place)}, at learning rate ${shortNumber(learningRate)}`);
    }
    if (this.#count === MOST_WARNINGS + 1) warn("More steps are skipped; they are not reported one by one.");
  }
}
