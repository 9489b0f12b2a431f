/*
 * The training of `wgrad train`, with its line of progress, its log, its checkpoints and its report.
 */
import { setImmediate } from "node:timers/promises";
import { DivergedError } from "../../errors.ts";
import { faultText } from "../../train/guard.ts";
import type { SkippedStep, Stop, StoppingProgress } from "../../train/index.ts";
import type { ReportRecorder } from "../report/index.ts";
import { warn } from "../text/terminal.ts";
import { count, rateText } from "../text/text.ts";
import type { RunKeeper } from "./checkpointing.ts";
import type { EventLog } from "./event-log.ts";
import { LowestValidation } from "./lowest-validation.ts";
import { ProgressLine } from "./progress.ts";
import { fitRun, trainedModel, unitOf, type Run, type Subject } from "./training-run.ts";

/** What is trained, and what is told of it. */
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
  /** See `LowestValidation`. */
  readonly lowest: string[] | undefined;
}

/** Trains to the end, or until the signal. */
export async function fitWithProgress(fitting: Fitting): Promise<Fitted> {
  const { run, subject, keeper, signal } = fitting;
  const line = new ProgressLine(process.stdout, unitOf(run));
  const checkpoint = keeper?.options((step) => trainedModel(run, subject, step));
  const steps = fitRun(run, subject.trainer, { signal, checkpoint, memory: keeper?.memory });
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
      await record(fitting, reached);
      for (const skipped of reached.skipped) skippedSteps.warnOf(skipped);
      // The CPU backend never waits, and signals are heard only while the process does.
      await setImmediate();
    }
  } catch (error) {
    throw error instanceof DivergedError ? divergedError(error, keeper?.lastGood) : error;
  } finally {
    line.finish();
  }
}

async function record({ run, log, keeper, recorder }: Fitting, event: StoppingProgress): Promise<void> {
  keeper?.note(event, run.data.validation !== undefined);
  if (event.interim) return;
  log?.write(progressEvent(event));
  await recorder?.progress(event);
}

function progressEvent({
  step,
  epoch,
  loss,
  accuracy,
  learningRate,
  examplesPerSecond,
  gradientNorm,
  validation,
}: StoppingProgress): object {
  return {
    event: "progress",
    step,
    epoch,
    loss,
    accuracy,
    learningRate,
    imagesPerSecond: examplesPerSecond,
    examplesPerSecond,
    ...(gradientNorm !== undefined && { gradientNorm }),
    ...(validation && { validationLoss: validation.loss, validationAccuracy: validation.accuracy }),
  };
}

/** The same error with the advice of the command line. */
function divergedError({ step, where = "", what, fix }: DivergedError, lastGood: string | undefined): DivergedError {
  const good = lastGood ? `. The last good checkpoint is ${lastGood}` : "";
  return new DivergedError(step, { where, what, fix: `${fix}, or choose another --on-nan${good}` });
}

/** How many of the steps that were left out get a line of their own. */
const MOST_WARNINGS = 3;

/** Warns of the first steps that were left out, and once that there are more. */
class SkippedSteps {
  #count = 0;

  warnOf({ step, place, learningRate }: SkippedStep): void {
    this.#count++;
    if (this.#count <= MOST_WARNINGS) {
      warn(`step ${count(step)} was left out: ${faultText(place)}, at learning rate ${rateText(learningRate)}`);
    }
    if (this.#count === MOST_WARNINGS + 1) warn("More steps are left out, which are not told of one by one.");
  }
}
