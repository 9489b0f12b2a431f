/*
 * A worker of a shared run: does the tasks that the coordinator gives it, and reports every second what it has done last.
 */
import type { Subscription } from "@nats-io/nats-core";
import { WgradError } from "../../errors.ts";
import type { NatsLink } from "../connection.ts";
import { MessageError } from "../messages.ts";
import { whileUnreachable } from "../retry.ts";
import type { ValueLayout } from "./layout.ts";
import { REPORT_MILLISECONDS } from "./members.ts";
import { memberBytes, readRound, type MemberMessage, type RoundMessage, type StoredChange } from "./messages.ts";
import { memberSubject, roundSubject } from "./names.ts";
import type { RoundTrainer } from "./round-trainer.ts";
import { isSameTask, type RoundTask } from "./rounds.ts";
import { RunStore } from "./run-store.ts";
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
}

/** A run whose coordinator was not heard for this time is left. */
const ABANDONED_MILLISECONDS = 120_000;

/** Trains the tasks of one worker. */
export class TrainingMember {
  readonly #options: MemberOptions;
  readonly #reportMilliseconds: number;
  #latest: RoundMessage | undefined;
  #heardAt = performance.now();
  #change: StoredChange | null = null;
  #failure: MemberMessage["failure"] = null;
  /** The last round in which the change of this worker was used, as far as it knows. */
  #usedRound: number | undefined;
  readonly #wake = new Wake();

  constructor(options: MemberOptions) {
    this.#options = options;
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

  /** The task of this worker in a round, unless it has done it. */
  #open({ round, tasks }: RoundMessage): RoundTask | undefined {
    const task = tasks.find(({ worker }) => worker === this.#options.trainer.worker);
    const done = this.#change;
    const isDone = task && done?.round === round && isSameTask(done.task, task);
    return isDone || this.#failure?.round === round ? undefined : task;
  }

  /** @returns whether it was trained */
  async #train(store: RunStore, { round, values, lastRounds }: RoundMessage, task: RoundTask): Promise<boolean> {
    this.#settle(lastRounds[task.worker]);
    const { link, signal, trainer, layout, trained } = this.#options;
    try {
      const start = await whileUnreachable(link, () => store.vector(values, layout.size), signal);
      const { change, ...facts } = await trainer.train(task, start, signal);
      const put = () => store.putChange(round, trainer.worker, change.bytes);
      const object = await whileUnreachable(link, put, signal);
      const { ownStep, examples, loss } = facts;
      this.#change = { round, task, ownStep, examples, loss, type: change.type, exponent: change.exponent, object };
      this.#report();
      trained(task, loss);
      return true;
    } catch (error) {
      if (signal.aborted) return false;
      // The round was committed without this worker, and its values are gone.
      if (error instanceof MessageError && this.#latest?.round !== round) return false;
      if (!(error instanceof WgradError)) throw error;
      this.#failure = { round, reason: error.message.replaceAll(/\p{C}/gu, " ").slice(0, 400) };
      this.#report();
      return false;
    }
  }

  /** Keeps or drops the state of the optimizer after the last round, depending on whether its change was used. */
  #settle(lastRound: number | undefined): void {
    const { trainer } = this.#options;
    if (lastRound !== undefined && lastRound === this.#change?.round) trainer.accept();
    else if (lastRound !== this.#usedRound) trainer.reset();
    this.#usedRound = lastRound;
  }

  #report(): void {
    const { link, run, trainer, name, version } = this.#options;
    const message = { member: trainer.worker, name, version, change: this.#change, failure: this.#failure };
    link.connection.publish(memberSubject(run), memberBytes(message));
  }
}
