import type { FitOptions } from "../fit-options.ts";
import type { TrainingProgress } from "../progress.ts";
import { CheckpointTaker } from "./checkpoints.ts";
import { EventReporter } from "./events.ts";
import type { DeviceRecovery } from "./recovery.ts";
import type { FinishedStep, Run } from "./run.ts";
import { SubmitQueue, type SubmitOptions } from "./submits.ts";

/** The checked options of one call of `fit`, and its last step. */
export interface LoopOptions extends SubmitOptions, Pick<FitOptions, "checkpoint"> {
  readonly every: number;
}

/**
 * Submits steps until `end`. Yields an event after each multiple of `every` steps and after the last step, also if a
 * signal ends the loop early. If the caller leaves the loop, it waits for the submitted steps.
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
      // Another call may be replacing a lost device.
      await recovery.pending;
      const missing = queue.waitForExamples();
      if (missing) {
        await missing;
        // Meanwhile, another call may have begun to replace a lost device.
        continue;
      }
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
    // If a step stopped the run, the run is now before that step, and later steps do not count.
    for (const finished of arrived) if (finished.step <= run.step) run.addUnreported(finished);
    await checkpoints.settled();
  }
}
