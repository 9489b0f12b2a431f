/*
 * The loop that trains a network and tells of each step.
 */
import { WgradError, type TrainingProgress } from "../../../index.ts";
import type { ProgressEvent } from "../contract.ts";
import type { Run } from "./run.ts";
import { NewSteps } from "./steps.ts";
import { nextTask } from "./turns.ts";

/** Work of one submit: a pause, a step or a stroke waits no longer than two of them. */
const SUBMIT_MILLISECONDS = 30;

/** Steps that take longer are submitted one at a time, so that a pause waits for one of them only. */
const SLOW_MILLISECONDS = 100;

/** The page is told of new steps so often: as often as a chart can be read. */
const TELL_MILLISECONDS = 60;

/** The least time between two tasks of the worker in which nothing else is heard. */
const TURN_MILLISECONDS = 8;

/** How far to train, and whom to tell. */
export interface TrainingOptions {
  /** Ends the training after the steps that were submitted. */
  readonly signal: AbortSignal;
  readonly maxSteps?: number;
  tell(event: ProgressEvent, buffers: ArrayBuffer[]): void;
  /** Called now and then between steps. */
  between(): void;
}

/**
 * Trains a run until it ends or is stopped.
 * @throws WgradError for a loss that is not finite, and as `Trainer.fit` does
 */
export async function trainOn(run: Run, { signal, maxSteps, tell, between }: TrainingOptions): Promise<void> {
  const { trainer } = run;
  const end = Math.min(trainer.totalSteps, trainer.step + (maxSteps ?? Infinity));
  const steps = new NewSteps();
  let before = run.seconds;
  let [told, turned] = [performance.now(), performance.now()];
  const tellSteps = () => {
    const event = steps.take(before, (step) => run.epochsAt(step));
    if (event) tell(event, [event.losses.buffer as ArrayBuffer, event.accuracies.buffer as ArrayBuffer]);
    told = performance.now();
  };
  let slow = true;
  try {
    while (trainer.step < end && !signal.aborted) {
      const started = performance.now();
      // How long a step takes is known once one was made alone.
      const maxStepsOfRound = slow ? 1 : end - trainer.step;
      const options = { every: 1, submitMilliseconds: SUBMIT_MILLISECONDS, signal, maxSteps: maxStepsOfRound };
      for await (const progress of trainer.fit(options)) {
        steps.add(progress);
        run.seconds = before + progress.seconds;
        run.step = progress.step;
        if (!Number.isFinite(progress.loss)) throw diverged(progress);
        const now = performance.now();
        if (slow || now - told > TELL_MILLISECONDS) tellSteps();
        if (now - turned > TURN_MILLISECONDS) {
          await nextTask();
          turned = performance.now();
          between();
        }
      }
      tellSteps();
      before = run.seconds;
      const milliseconds = performance.now() - started;
      slow = milliseconds > SLOW_MILLISECONDS;
      // A step is about three times as much work as applying the network is.
      if (maxStepsOfRound === 1) run.forwardMilliseconds = milliseconds / (3 * trainer.batchSize);
    }
  } finally {
    tellSteps();
  }
}

/** Seen on the page's own side, which has every step's loss: the trainer's guard would cost each step a dispatch. */
const diverged = ({ step, loss }: TrainingProgress) =>
  new WgradError({ what: `the loss of step ${step} is ${loss}`, fix: "Choose a lower learning rate and reset" });
