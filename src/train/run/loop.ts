import type { FitOptions } from "../fit-options.ts";
import type { TrainingProgress } from "../progress.ts";
import { CheckpointTaker } from "./checkpoints.ts";
import { EventReporter } from "./events.ts";
import type { DeviceRecovery } from "./recovery.ts";
import type { FinishedStep, Run } from "./run.ts";
import { SubmitQueue, type SubmitOptions } from "./submits.ts";

/** The options of one call of fit, checked and with the end of its steps. */
export interface LoopOptions extends SubmitOptions, Pick<FitOptions, "checkpoint"> {
  readonly every: number;
}

/**
 * Submits steps until `end` and yields an event after each step whose number is a multiple of `every`, and after the
 * last, also where that is earlier because of a signal. When the caller leaves early, it waits for what is in flight.
 */
export async function* runSteps(
  run: Run,
  recovery: DeviceRecovery,
  options: LoopOptions,
): AsyncGenerator<TrainingProgress, void, undefined> {
  const { every, end } = options;
  const events = new EventReporter(run);
  const checkpoints = new CheckpointTaker(run, recovery, options.checkpoint);
  const queue = new SubmitQueue(run, recovery, checkpoints, options);
  const isEvent = (step: number) => step % every === 0 || queue.isPause(step) || step === end;
  /** Finished steps that are not reported yet. */
  const arrived: FinishedStep[] = [];
  try {
    while (queue.hasWork) {
      // A call of the caller's may have had a lost device replaced.
      await recovery.pending;
      queue.fill();
      const oldest = await queue.takeOldest();
      if (run.isDisposed && !oldest) return;
      if (!oldest) continue;
      arrived.push(...oldest.steps);
      events.timed(oldest.steps.at(-1)!.step, oldest.finished);
      for (let next = arrived.shift(); next; next = arrived.shift()) {
        events.add(next);
        const { step } = next;
        if (isEvent(step)) yield events.event(step);
        if (run.isDisposed) return;
        if (checkpoints.isAskedAt(step)) await checkpoints.reached(step);
      }
    }
    await recovery.pending;
    if (run.step < end && run.unreported.steps > 0) yield events.interimEvent(run.step);
    await checkpoints.finish();
  } finally {
    arrived.push(...(await queue.drain()));
    // After a step that ended the run, the run stands before that step.
    for (const finished of arrived) if (finished.step <= run.step) run.addUnreported(finished);
    await checkpoints.settled();
  }
}
