/*
 * Ends a sweep before its end. The results and the checkpoints of its trials stay, so it can be continued.
 */
import { newMember } from "../training/names.ts";
import { FencedLog, LeaseLostError } from "../fenced-log.ts";
import type { NatsLink } from "../connection.ts";
import { eventBytes, trialLogRules } from "./events.ts";
import { BROWSER_TRIALS, RESULTS, resultSubject, TRIALS, trialSubjects, type TrialKey } from "./names.ts";
import { resultMessages, TrialStates } from "./results.ts";

/** A sweep that is to end. */
export interface CancelledSweep {
  readonly sweep: string;
  /** The names of its trials. */
  readonly trials: readonly string[];
  /** The number of rungs of each trial; 1 without successive halving. */
  readonly rungs: number;
  /** Whether browsers train its trials as well. */
  readonly isForBrowsers: boolean;
  /** The version of this process, for the logs of the trials. */
  readonly version: string;
}

/**
 * Removes the trials of a sweep from the queue, and takes those in progress from their workers, which stop when they save
 * their next checkpoint. If none is in progress, the log of a trial that waits tells the processes that follow the sweep.
 * @returns the number of trials in progress
 */
export async function cancelSweep(link: NatsLink, cancelled: CancelledSweep): Promise<number> {
  const { sweep, version, isForBrowsers } = cancelled;
  const filter = trialSubjects(sweep, isForBrowsers);
  await link.manager.streams.purge(isForBrowsers ? BROWSER_TRIALS : TRIALS, { filter });
  const { running, waiting } = await unfinished(link, cancelled);
  const session = newMember();
  for (const key of running.length > 0 ? running : waiting.slice(0, 1)) {
    const log = new FencedLog(link, { stream: RESULTS, subject: resultSubject(key) }, trialLogRules);
    const { attempt } = await log.read();
    const writer = { version, worker: "wgrad cancel", session, attempt: attempt + 1 };
    await log.append(eventBytes({ ...writer, event: "cancelled" }), ({ ending }) => !ending).catch(ignoreEnded);
  }
  return running.length;
}

/** A trial that has ended meanwhile needs no message. */
function ignoreEnded(error: unknown): void {
  if (!(error instanceof LeaseLostError)) throw error;
}

/** The parts of trials that are in progress, and those that wait. */
async function unfinished(
  link: NatsLink,
  { sweep, trials, rungs }: CancelledSweep,
): Promise<{ readonly running: TrialKey[]; readonly waiting: TrialKey[] }> {
  const states = new TrialStates();
  for await (const message of resultMessages(link, sweep, new AbortController().signal)) {
    if (!message) break;
    states.take(message.subject, message.data);
  }
  const keys = trials.flatMap((trial) => Array.from({ length: rungs }, (_, rung) => ({ sweep, trial, rung })));
  const open = keys.filter((key) => !states.of(key).ending);
  const isRunning = (key: TrialKey) => states.of(key).attempt > 0 && !states.of(key).isCancelled;
  return { running: open.filter(isRunning), waiting: open.filter((key) => !isRunning(key)) };
}
