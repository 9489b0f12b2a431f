/*
 * The training loop, which reports every step.
 */
import { WgradError, type TrainingProgress } from "../../../index.ts";
import type { ProgressEvent } from "../contract.ts";
import type { Run } from "./run.ts";
import { NewSteps } from "./steps.ts";
import { turn } from "../../../turn.ts";

/** The work of one submit. A pause, a step or a prediction waits for two of them at most. */
const SUBMIT_MILLISECONDS = 30;

/** Steps that take longer are submitted one at a time, so that a pause waits for only one of them. */
const SLOW_MILLISECONDS = 100;

/** The time between reports to the page, about as short as a chart can be read. */
const REPORT_MILLISECONDS = 60;

/** After this time, the loop lets the worker receive messages. */
const YIELD_MILLISECONDS = 8;

export interface TrainingOptions {
  /** Ends the training after the steps that have been submitted. */
  readonly signal: AbortSignal;
  readonly maxSteps?: number;
  tell(event: ProgressEvent, buffers: ArrayBuffer[]): void;
  /** Called between steps, each time after messages were received. */
  between(): void;
}

/**
 * Trains a run until it ends or is aborted.
 * @throws WgradError if a loss is not finite, and the errors of `Trainer.fit`
 */
export async function trainOn(run: Run, { signal, maxSteps, tell, between }: TrainingOptions): Promise<void> {
  const { trainer } = run;
  const end = Math.min(trainer.totalSteps, trainer.step + (maxSteps ?? Infinity));
  const steps = new NewSteps();
  let before = run.seconds;
  let [reported, yielded] = [performance.now(), performance.now()];
  const tellSteps = () => {
    const event = steps.take(before, (step) => run.epochsAt(step));
    if (event) tell(event, [event.losses.buffer as ArrayBuffer, event.accuracies.buffer as ArrayBuffer]);
    reported = performance.now();
  };
  let slow = true;
  try {
    while (trainer.step < end && !signal.aborted) {
      const started = performance.now();
      // A step that runs alone shows how long a step takes.
      const maxStepsOfRound = slow ? 1 : end - trainer.step;
      const options = { every: 1, submitMilliseconds: SUBMIT_MILLISECONDS, signal, maxSteps: maxStepsOfRound };
      for await (const progress of trainer.fit(options)) {
        steps.add(progress);
        run.seconds = before + progress.seconds;
        run.step = progress.step;
        if (!Number.isFinite(progress.loss)) throw diverged(progress);
        const now = performance.now();
        if (slow || now - reported > REPORT_MILLISECONDS) tellSteps();
        if (now - yielded > YIELD_MILLISECONDS) {
          await turn();
          yielded = performance.now();
          between();
        }
      }
      tellSteps();
      before = run.seconds;
      const milliseconds = performance.now() - started;
      slow = milliseconds > SLOW_MILLISECONDS;
      // A step is about three times the work of a forward pass.
      if (maxStepsOfRound === 1) run.forwardMilliseconds = milliseconds / (3 * trainer.batchSize);
    }
  } finally {
    tellSteps();
  }
}

const diverged = ({ step, loss }: TrainingProgress) =>
  new WgradError({ what: `the loss at step ${step} is ${loss}`, fix: "Choose a lower learning rate and reset" });
