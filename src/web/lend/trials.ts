/*
 * A tab's part in sweeps: the trials that it may take.
 */
import type { Backend } from "../../index.ts";
import type { NatsLink } from "../../cluster/link.ts";
import { MessageError } from "../../cluster/messages.ts";
import type { ObjectReference } from "../../cluster/objects.ts";
import { BROWSER_TRIALS, WORKERS } from "../../cluster/sweeps/names.ts";
import { preparedSource } from "../../cluster/sweeps/prepared-source.ts";
import type { Trial } from "../../cluster/sweeps/trial.ts";
import { TrialWorker } from "../../cluster/sweeps/trial-worker.ts";
import type { FetchedRun } from "../../cluster/training/prepared/index.ts";
import { turn } from "../../turn.ts";
import type { LendEvent } from "./contract.ts";

/** The time between checkpoints, as for `wgrad worker`. */
const CHECKPOINT_SECONDS = 30;

/** The number of trials that browsers may take and that are not finished; undefined if there is no sweep for browsers. */
export async function trialsOffered({ manager }: NatsLink): Promise<number | undefined> {
  try {
    const { num_pending: waiting, num_ack_pending: taken } = await manager.consumers.info(BROWSER_TRIALS, WORKERS);
    return waiting + taken;
  } catch {
    // No such stream, or the user may only join runs, or the server is gone, which the caller finds as well.
    return undefined;
  }
}

interface TrialWorkerParts {
  readonly link: NatsLink;
  readonly name: string;
  readonly backend: Backend;
  readonly signal: AbortSignal;
  fetchRun(prepared: ObjectReference): Promise<FetchedRun>;
  report(event: LendEvent): void;
}

/** A worker for the trials of sweeps that let browsers train. */
export function trialWorker({ fetchRun, backend, report, ...parts }: TrialWorkerParts): TrialWorker {
  let trials = 0;
  const preparedOf = ({ trial, prepared }: Trial): ObjectReference => {
    if (prepared) return prepared;
    throw new MessageError({ where: `trial ${trial}`, what: "it is not prepared for browsers" });
  };
  report({ kind: "idle" });
  return new TrialWorker({
    ...parts,
    streams: [BROWSER_TRIALS],
    interval: { everySeconds: CHECKPOINT_SECONDS },
    check: (trial) => void preparedOf(trial),
    source: async (trial) => {
      report({ kind: "fetching" });
      return preparedSource(`trial ${trial.trial}`, await fetchRun(preparedOf(trial)), backend);
    },
    rest: turn,
    report: {
      started: ({ trial }, _attempt, step) => report({ kind: "trial", trial, step }),
      progress: (_trial, { step, totalSteps, loss }) => report({ kind: "progress", step, totalSteps, loss }),
      finished: (_trial, { score }) => {
        report({ kind: "result", trials: ++trials, score });
        report({ kind: "idle" });
      },
      warn: (text) => {
        report({ kind: "note", text });
        // It was about a trial that the worker cannot train, or the training begins next.
        report({ kind: "idle" });
      },
    },
  });
}
