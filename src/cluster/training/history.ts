/*
 * How the state of a worker's optimizer came about: the state that it stored last, and the rounds that it has trained
 * since. A process that continues in place of a lost worker repeats these rounds, so that it has the same bits.
 */
import { messageBytes, MessageFields, readMessage } from "../messages.ts";
import { readReference, REFERENCE_FIELDS, type ObjectReference } from "../objects.ts";
import { FORMAT, MOST_WORKERS, readTask, type CommitRecord } from "./messages.ts";
import { MEMBER } from "./names.ts";
import type { RoundTask } from "./rounds.ts";

/** A round of a worker whose change was used. */
export interface TrainedRound {
  readonly task: RoundTask;
  /** The values that it began with. */
  readonly values: ObjectReference;
}

/** How the state of one worker's optimizer came about. */
export interface WorkerHistory {
  /** The state that the worker stored last; null if it has stored none since it began anew. */
  readonly state: ObjectReference | null;
  /** The rounds that it trained after that. */
  readonly rounds: readonly TrainedRound[];
}

/** The histories of the workers of the last round, as the log has them. */
export class WorkerHistories {
  readonly #stateEvery: number;
  readonly #histories = new Map<string, WorkerHistory>();
  readonly #known = new Set<string>();

  /** @param stateEvery the number of rounds after which each worker stores the state of its optimizer */
  constructor(stateEvery: number) {
    this.#stateEvery = stateEvery;
  }

  /**
   * Takes the next record of the log.
   * @param waiting workers whose histories are still needed although they took no part in the round
   */
  note({ tasks, participants, start, states }: CommitRecord, waiting: ReadonlySet<string> = new Set()): void {
    const workers = new Set(participants.map(({ worker }) => worker));
    // The values of their rounds would be kept for as long as they stay away.
    for (const worker of this.#histories.keys())
      if (!workers.has(worker) && !waiting.has(worker)) this.#histories.delete(worker);
    for (const { worker, ownStep } of participants) {
      const round = { task: tasks.find((task) => task.worker === worker)!, values: start };
      const before = ownStep === 0 ? { state: null, rounds: [] } : this.#histories.get(worker);
      const state = Object.hasOwn(states, worker) ? states[worker]! : undefined;
      this.#known.add(worker);
      if (state) this.#histories.set(worker, { state, rounds: [] });
      else if (before) this.#histories.set(worker, { ...before, rounds: [...before.rounds, round] });
    }
  }

  /** The history of a worker; undefined if it is unknown, since the worker missed a round. */
  of(worker: string): WorkerHistory | undefined {
    return this.#histories.get(worker);
  }

  /** Whether a worker shall store the state of its optimizer after the next round. */
  needsState(worker: string): boolean {
    const rounds = this.#histories.get(worker)?.rounds.length ?? (this.#known.has(worker) ? Infinity : 0);
    return rounds + 1 >= this.#stateEvery;
  }

  /** The names of the objects that the histories need. */
  get objects(): ReadonlySet<string> {
    const needed = [...this.#histories.values()].flatMap(({ state, rounds }) => [
      ...(state ? [state.object] : []),
      ...rounds.map(({ values }) => values.object),
    ]);
    return new Set(needed);
  }
}

/** More rounds than a worker is told to repeat. */
const MOST_ROUNDS = 10_000;
const MOST_BYTES = 64 * 1024 * 1024;

/** Writes the histories that processes need, by worker. */
export const historiesBytes = (workers: Readonly<Record<string, WorkerHistory>>): Uint8Array =>
  messageBytes({ format: FORMAT, workers });

/** Reads the history of one worker. @returns undefined if there is none; @throws MessageError */
export function readHistory(where: string, bytes: Uint8Array, worker: string): WorkerHistory | undefined {
  const fields = readMessage(where, bytes, { most: MOST_BYTES, allowed: ["format", "workers"] });
  fields.literal("format", FORMAT);
  const names = Object.keys(fields.record("workers", MEMBER, MOST_WORKERS));
  if (!names.includes(worker)) return undefined;
  const found = fields.object("workers", names).object(worker, ["state", "rounds"]);
  return {
    state: found.isNull("state") ? null : readReference(found.object("state", REFERENCE_FIELDS)),
    rounds: found.list("rounds", MOST_ROUNDS, readTrainedRound),
  };
}

function readTrainedRound(value: unknown, where: string): TrainedRound {
  const fields = new MessageFields(where, value, ["task", "values"]);
  const { task } = value as { readonly task: unknown };
  return { task: readTask(task, `${where}, task`), values: readReference(fields.object("values", REFERENCE_FIELDS)) };
}
