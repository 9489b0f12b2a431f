/*
 * The worker of `wgrad worker`: it trains trials from their options and the files that these name.
 */
import { setImmediate } from "node:timers/promises";
import type { NatsLink } from "../../cluster/connection.ts";
import { MessageError } from "../../cluster/messages.ts";
import { BROWSER_TRIALS, TRIALS } from "../../cluster/sweeps/names.ts";
import { TrialWorker } from "../../cluster/sweeps/trial-worker.ts";
import type { RunPreparer } from "../cluster/run-preparer.ts";
import type { Interval } from "../options/checkpoint-options.ts";
import { requireData } from "../options/trial-options.ts";
import { say, warn } from "../text/terminal.ts";
import { runName } from "./sweep-plan.ts";
import { trialSource } from "./trial-source.ts";

export interface WorkerOptions {
  readonly link: NatsLink;
  /** For messages and tables. */
  readonly name: string;
  readonly preparer: RunPreparer;
  readonly interval: Interval;
  readonly signal: AbortSignal;
  /** Does other work that waits, before a trial is taken. @returns whether there was any */
  otherWork(): Promise<boolean>;
}

/** A worker for the trials of all sweeps of a server. */
export function sweepWorker({ preparer, ...options }: WorkerOptions): TrialWorker {
  return new TrialWorker({
    ...options,
    streams: [TRIALS, BROWSER_TRIALS],
    check: ({ trial, configuration, data }) => {
      const where = `trial ${trial}`;
      if (runName(configuration) !== trial)
        throw new MessageError({ where, what: "its name is not the digest of its options" });
      requireData(where, data);
    },
    source: async (trial) =>
      trialSource(await preparer.prepared(`trial ${trial.trial}`, trial, trial.rungs !== undefined)),
    rest: async () => void (await setImmediate()),
    report: {
      started: ({ trial }, attempt, step) => say(`${trial}: attempt ${attempt}, from step ${step}`),
      finished: ({ trial }, { score, steps }) =>
        say(`${trial}: finished after ${steps} steps, ${score === null ? "diverged" : `loss ${score}`}`),
      warn,
    },
  });
}
