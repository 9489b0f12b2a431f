/*
 * Collects the changes of one round. A worker that is lost, or takes far longer than the others, does not hold them up:
 * its steps are given out again in the next round.
 */
import { DataError } from "../../errors.ts";
import type { NatsLink } from "../connection.ts";
import { ReadTimeoutError, type ObjectReference } from "../objects.ts";
import { isUnreachable } from "../retry.ts";
import { decodeChange } from "./encode.ts";
import type { HeldObjects } from "./held-objects.ts";
import type { ValueLayout } from "./layout.ts";
import type { Members } from "./members.ts";
import {
  onOneLine,
  roundBytes,
  type MemberMessage,
  type MissingWorker,
  type ParticipantFacts,
  type RoundMessage,
  type StoredChange,
  type TaskFailure,
} from "./messages.ts";
import { roundSubject } from "./names.ts";
import { isSameTask, type Contribution, type RoundTask } from "./rounds.ts";
import type { RunStore } from "./run-store.ts";

/** Once the quorum is there, the others get this share of the time that it took, and at least this number of reports. */
const GRACE_SHARE = 1;
const GRACE_REPORTS = 5;

/** A worker whose change did not arrive in so many attempts gets no more tasks. */
const MOST_ATTEMPTS = 3;

export interface CollectorParts {
  readonly link: NatsLink;
  readonly run: string;
  readonly store: RunStore;
  readonly members: Members;
  readonly layout: ValueLayout;
  readonly message: Omit<RoundMessage, "checks">;
  /** What the workers read of this round. */
  readonly held: HeldObjects;
  /** The id of the process that acts as a worker. */
  memberOf(worker: string): string;
}

/** Collects the changes of one round. */
export class RoundCollector {
  readonly #parts: CollectorParts;
  readonly #contributions = new Map<string, Contribution>();
  readonly #names = new Map<string, string>();
  readonly #states = new Map<string, ObjectReference>();
  readonly #facts = new Map<string, ParticipantFacts>();
  readonly #missing = new Map<string, MissingWorker>();
  readonly #began = performance.now();
  /** How often the change of each worker could not be read. */
  readonly #attempts = new Map<string, number>();
  #sentAt = -Infinity;
  /** How often the objects of the round were checked. */
  #checks = 0;
  /** The workers that could not read an object although the server had all of them. */
  readonly #inVain = new Set<string>();

  constructor(parts: CollectorParts) {
    this.#parts = parts;
  }

  /** The names of the workers whose changes are used, by id. */
  get names(): ReadonlyMap<string, string> {
    return this.#names;
  }

  /** The states of optimizers that these workers have stored, by id. */
  get states(): ReadonlyMap<string, ObjectReference> {
    return this.#states;
  }

  /** What the participants did, by id. */
  get facts(): ReadonlyMap<string, ParticipantFacts> {
    return this.#facts;
  }

  /** The other workers with tasks, by id. */
  get missing(): ReadonlyMap<string, MissingWorker> {
    const late = this.#open.map(({ worker }) => [worker, this.#missed(worker, "late")] as const);
    return new Map([...this.#missing, ...late]);
  }

  /**
   * Waits for the changes of all tasks, and beyond the quorum only for some time.
   * @throws the reason of the signal if it is aborted
   */
  async collect(quorum: number, ended: AbortSignal): Promise<Contribution[]> {
    const { tasks } = this.#parts.message;
    const { reportMilliseconds } = this.#parts.members;
    let deadline = Infinity;
    for (;;) {
      ended.throwIfAborted();
      this.#send();
      await this.#take(ended);
      if (this.#open.length === 0 || performance.now() > deadline) return [...this.#contributions.values()];
      const hasQuorum = this.#contributions.size >= Math.min(quorum, tasks.length);
      const now = performance.now();
      if (hasQuorum && deadline === Infinity)
        deadline = now + Math.max(GRACE_REPORTS * reportMilliseconds, GRACE_SHARE * (now - this.#began));
      await this.#parts.members.change(reportMilliseconds / 4);
    }
  }

  /** The tasks that may still be done. */
  get #open(): RoundTask[] {
    const { tasks } = this.#parts.message;
    return tasks.filter(({ worker }) => !this.#contributions.has(worker) && !this.#missing.has(worker));
  }

  /** Tells the workers what to do, every second, since messages may be lost. */
  #send(): void {
    const { link, run, message } = this.#parts;
    const now = performance.now();
    if (now - this.#sentAt < this.#parts.members.reportMilliseconds) return;
    this.#sentAt = now;
    link.connection.publish(roundSubject(run), roundBytes({ ...message, checks: this.#checks }));
  }

  /** Takes the changes that have arrived, and notes which workers are lost. */
  async #take(ended: AbortSignal): Promise<void> {
    const { message, members, memberOf } = this.#parts;
    const alive = new Map(members.alive.map((each) => [each.member, each]));
    for (const task of this.#open) {
      const { worker } = task;
      const heard = alive.get(memberOf(worker));
      if (!heard) this.#missing.set(worker, this.#missed(worker, "lost"));
      else if (heard.failure?.round === message.round) await this.#answer(worker, heard.failure, ended);
      else if (heard.change?.round === message.round && isSameTask(heard.change.task, task))
        await this.#read(heard, heard.change, ended);
    }
  }

  #missed(worker: string, kind: MissingWorker["kind"], reason: string | null = null): MissingWorker {
    const member = this.#parts.memberOf(worker);
    return { name: this.#parts.members.nameOf(member), kind, reason: reason && onOneLine(reason) };
  }

  /** Lets a worker try again if it could not read an object and the server has it now. Otherwise, the worker is refused. */
  async #answer(worker: string, { reason, checks }: TaskFailure, ended: AbortSignal): Promise<void> {
    if (checks === null) return this.#refuse(worker, reason);
    // It has not tried again since the last check.
    if (checks !== this.#checks) return;
    if (!(await this.#parts.held.repair(ended))) {
      // It may have read an object just before it was stored again, but not twice.
      if (this.#inVain.has(worker)) return this.#refuse(worker, reason);
      this.#inVain.add(worker);
    }
    this.#checks++;
    this.#sentAt = -Infinity;
  }

  #refuse(worker: string, reason: string): void {
    this.#missing.set(worker, this.#missed(worker, "refused", reason));
    this.#parts.members.refuse(this.#parts.memberOf(worker), reason);
  }

  async #read({ name }: MemberMessage, stored: StoredChange, ended: AbortSignal): Promise<void> {
    const { link, store, layout } = this.#parts;
    const { object, type, exponent, task, ownStep, examples, loss, state, trainMilliseconds } = stored;
    const { worker, range } = task;
    try {
      const bytes = await store.get(object);
      const change = { type, exponent, bytes };
      decodeChange(`worker ${name}`, change, layout.size);
      this.#contributions.set(worker, { worker, range, ownStep, examples, loss, change });
      this.#names.set(worker, name);
      if (state) this.#states.set(worker, state);
      const arrivedMilliseconds = Math.round(performance.now() - this.#began);
      const sentBytes = object.bytes + (state?.bytes ?? 0);
      this.#facts.set(worker, { trainMilliseconds, arrivedMilliseconds, sentBytes });
    } catch (error) {
      ended.throwIfAborted();
      if (error instanceof DataError) return this.#refuse(worker, error.message);
      if (!isUnreachable(link, error)) throw error;
      // The server may be back soon. A worker that replaces its object again and again must not hold up the others.
      const attempts = (this.#attempts.get(worker) ?? 0) + 1;
      this.#attempts.set(worker, attempts);
      if (error instanceof ReadTimeoutError && attempts === MOST_ATTEMPTS) this.#refuse(worker, error.message);
    }
  }
}
