/*
 * A worker of a shared run: does the tasks that the coordinator gives it, and reports every second what it has done last.
 */
import type { Subscription } from "@nats-io/nats-core";
import { DataError, WgradError } from "../../errors.ts";
import type { NatsLink } from "../connection.ts";
import { MessageError } from "../messages.ts";
import { whileUnreachable } from "../retry.ts";
import { decodeChange } from "./encode.ts";
import type { ValueLayout } from "./layout.ts";
import { REPORT_MILLISECONDS } from "./members.ts";
import { readHistory } from "./history.ts";
import {
  memberBytes,
  onOneLine,
  readRound,
  type MemberMessage,
  type RoundMessage,
  type StoredChange,
} from "./messages.ts";
import { memberSubject, newMember, roundSubject } from "./names.ts";
import type { RoundTrainer } from "./round-trainer.ts";
import { digestOfValues, isSameTask, type RoundTask } from "./rounds.ts";
import { RunStore } from "./run-store.ts";
import { readState, stateBytes } from "./stored-state.ts";
import { Wake } from "./wake.ts";

export interface MemberOptions {
  readonly link: NatsLink;
  readonly run: string;
  readonly layout: ValueLayout;
  readonly trainer: RoundTrainer;
  readonly name: string;
  readonly version: string;
  readonly signal: AbortSignal;
  /** The time between two reports; 1000 by default. */
  readonly reportMilliseconds?: number;
  /** Called after each round, with the mean loss of the steps of this worker. */
  trained(task: RoundTask, loss: number): void;
  /** Called with a message for the user; by default there are none. */
  warn?(line: string): void;
}

/** The server has lost an object of the coordinator, which may store it again. */
class UnreadableError extends MessageError {}

/** A run whose coordinator was not heard for this time is left. */
const ABANDONED_MILLISECONDS = 120_000;

/** Trains the tasks of one worker. */
export class TrainingMember {
  readonly #options: MemberOptions;
  /** The id of this process. */
  #id: string;
  /** The id of the worker that it acts as. */
  #worker: string;
  readonly #reportMilliseconds: number;
  #latest: RoundMessage | undefined;
  #heardAt = performance.now();
  #change: StoredChange | null = null;
  /** The digest of that change, as the record of its round has it. */
  #digest = "";
  #failure: MemberMessage["failure"] = null;
  /** Names the objects of this process. Another one may have the same id. */
  readonly #owner = newMember();
  /** The last round in which the change of this worker was used, as far as it knows. */
  #usedRound: number | undefined;
  readonly #wake = new Wake();

  constructor(options: MemberOptions) {
    this.#options = options;
    this.#id = this.#worker = options.trainer.worker;
    this.#reportMilliseconds = options.reportMilliseconds ?? REPORT_MILLISECONDS;
  }

  /** Trains until the run is finished or abandoned, or the signal is aborted. @returns the number of rounds */
  async run(): Promise<number> {
    const { link, signal } = this.#options;
    const store = await RunStore.open(link, this.#options.run);
    const subscription = this.#listen();
    const reports = setInterval(() => this.#report(), this.#reportMilliseconds);
    signal.addEventListener("abort", this.#wake.now);
    let rounds = 0;
    try {
      this.#report();
      while (!signal.aborted && !this.#isAbandoned) {
        const round = this.#latest;
        if (round?.isFinished) break;
        const task = round && this.#open(round);
        if (!task) await this.#wake.within(this.#reportMilliseconds);
        else if (await this.#train(store, round, task)) rounds++;
      }
      return rounds;
    } finally {
      signal.removeEventListener("abort", this.#wake.now);
      clearInterval(reports);
      subscription.unsubscribe();
    }
  }

  get #isAbandoned(): boolean {
    return performance.now() - this.#heardAt > ABANDONED_MILLISECONDS;
  }

  #listen(): Subscription {
    const { link, run } = this.#options;
    return link.connection.subscribe(roundSubject(run), {
      callback: (error, message) => {
        if (error) return;
        try {
          this.#latest = readRound(run, message.data);
          this.#heardAt = performance.now();
          this.#wake.now();
        } catch (reason) {
          if (!(reason instanceof MessageError)) throw reason;
        }
      },
    });
  }

  /** The task of this worker in a round, unless it has done it or cannot do it. */
  #open({ round, tasks, members, checks }: RoundMessage): RoundTask | undefined {
    // Another process has continued in place of this one, which begins anew.
    if ((members[this.#id] ?? this.#id) !== this.#id) this.#id = newMember();
    const task = tasks.find(({ worker }) => (members[worker] ?? worker) === this.#id);
    const done = this.#change;
    const isDone = task && done?.round === round && isSameTask(done.task, task);
    const failure = this.#failure?.round === round ? this.#failure : undefined;
    const hasFailed = failure && (failure.checks === null || failure.checks === checks);
    return isDone || hasFailed ? undefined : task;
  }

  /** @returns whether it was trained */
  async #train(store: RunStore, message: RoundMessage, task: RoundTask): Promise<boolean> {
    const { link, signal, trainer, layout, trained } = this.#options;
    const { round, values } = message;
    try {
      await this.#settle(store, message, task);
      // It took several rounds to get there.
      if (this.#latest?.round !== round) return false;
      const start = await this.#ofCoordinator(() => store.vector(values, layout.size));
      const began = performance.now();
      const { change, ownStep, examples, loss } = await trainer.train(task, start, signal);
      const trainMilliseconds = Math.round(performance.now() - began);
      const put = (kind: "change" | "state", bytes: Uint8Array) =>
        whileUnreachable(link, () => store.putBytes(kind, { round, owner: this.#owner }, bytes), signal);
      const state = message.stateOf.includes(task.worker) ? await put("state", stateBytes(trainer.lastState)) : null;
      const object = await put("change", change.bytes);
      const { type, exponent } = change;
      this.#change = { round, task, ownStep, examples, loss, type, exponent, object, state, trainMilliseconds };
      this.#failure = null;
      this.#digest = digestOfValues(decodeChange(task.worker, change, layout.size));
      this.#report();
      trained(task, loss);
      return true;
    } catch (error) {
      if (signal.aborted) return false;
      // The round was committed without this worker, and its values are gone.
      if (error instanceof MessageError && this.#latest?.round !== round) return false;
      if (!(error instanceof WgradError)) throw error;
      this.#failure = {
        round,
        reason: onOneLine(error.message),
        checks: error instanceof UnreadableError ? message.checks : null,
      };
      this.#report();
      return false;
    }
  }

  /** Reads an object that the coordinator has stored for this round. @throws UnreadableError */
  async #ofCoordinator<Value>(read: () => Promise<Value>): Promise<Value> {
    const { link, signal } = this.#options;
    try {
      return await whileUnreachable(link, read, signal);
    } catch (error) {
      if (!(error instanceof MessageError)) throw error;
      const { where = "", what } = error;
      throw new UnreadableError({ where, what }, { cause: error });
    }
  }

  /** Keeps or drops the state of the optimizer after the last round, depending on whether its change was used. */
  async #settle(store: RunStore, message: RoundMessage, { worker }: RoundTask): Promise<void> {
    const { trainer } = this.#options;
    const last = message.lastRounds[worker];
    const isOwn = last?.round === this.#change?.round && last?.digest === this.#digest;
    if (worker !== this.#worker) await this.#takeOver(store, message, worker);
    else if (isOwn) trainer.accept();
    else if (last?.round !== this.#usedRound) trainer.reset();
    this.#worker = worker;
    this.#usedRound = last?.round;
  }

  /** Continues in place of a worker whose process is gone; with a new optimizer if its state is gone, too. */
  async #takeOver(store: RunStore, message: RoundMessage, worker: string): Promise<void> {
    const { trainer, warn } = this.#options;
    try {
      await this.#replace(store, message, worker);
    } catch (error) {
      // Objects of an earlier round may be gone because a later one has begun.
      if (!(error instanceof DataError) || this.#latest?.round !== message.round) throw error;
      trainer.reset();
      warn?.(`The optimizer begins anew, because the state of the worker before cannot be used: ${error.message}`);
    }
  }

  /** Gets the state of the optimizer of a worker whose process is gone, by repeating its rounds. */
  async #replace(store: RunStore, { histories }: RoundMessage, worker: string): Promise<void> {
    const { link, signal, trainer, layout } = this.#options;
    const available = <Value>(read: () => Promise<Value>) => whileUnreachable(link, read, signal);
    const where = `the histories of run ${this.#options.run}`;
    const found = histories && readHistory(where, await this.#ofCoordinator(() => store.get(histories)), worker);
    const { state = null, rounds = [] } = found || {};
    trainer.reset(state ? readState(`object ${state.object}`, await available(() => store.get(state))) : undefined);
    for (const { task, values } of rounds) {
      await trainer.train(task, await available(() => store.vector(values, layout.size)), signal);
      trainer.accept();
    }
  }

  #report(): void {
    const { link, run, name, version } = this.#options;
    const message = { member: this.#id, name, version, change: this.#change, failure: this.#failure };
    link.connection.publish(memberSubject(run), memberBytes(message));
  }
}
