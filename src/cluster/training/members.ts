/*
 * Which workers are there, as their coordinator hears it: each reports every second.
 */
import type { Subscription } from "@nats-io/nats-core";
import type { NatsLink } from "../connection.ts";
import { MessageError } from "../messages.ts";
import { readMember, type MemberMessage } from "./messages.ts";
import { memberSubject } from "./names.ts";
import { Wake } from "./wake.ts";

/** The time between two reports of a worker, unless another one is given. */
export const REPORT_MILLISECONDS = 1000;

/** A worker that was not heard for this number of reports counts as lost. A worker that computes may report late. */
const LOST_REPORTS = 8;

export interface MembersOptions {
  readonly version: string;
  readonly reportMilliseconds: number;
  log(line: string): void;
}

interface Heard {
  /** When it was heard, by the time in which this process listened. */
  readonly at: number;
  readonly message: MemberMessage;
}

/** Listens to the reports of the workers of a run. */
export class Members {
  readonly #run: string;
  readonly #options: MembersOptions;
  readonly #subscription: Subscription;
  readonly #heard = new Map<string, Heard>();
  readonly #refused = new Set<string>();
  #invalid = 0;
  readonly #wake = new Wake();
  readonly #ticks: ReturnType<typeof setInterval>;
  #tickedAt = performance.now();
  /** The time in which this process did not run. */
  #stoppedMilliseconds = 0;

  constructor(link: NatsLink, run: string, options: MembersOptions) {
    [this.#run, this.#options] = [run, options];
    this.#ticks = setInterval(() => this.#listened(), options.reportMilliseconds);
    this.#subscription = link.connection.subscribe(memberSubject(run), {
      callback: (error, message) => {
        if (!error) this.#take(message.data);
      },
    });
  }

  /** The number of invalid reports, which changed nothing. */
  get invalid(): number {
    return this.#invalid;
  }

  /** The workers that are there and not refused, with what they said last. */
  get alive(): readonly MemberMessage[] {
    const since = this.#listened() - LOST_REPORTS * this.#options.reportMilliseconds;
    const heard = [...this.#heard.values()].filter(({ at }) => at >= since);
    return heard.map(({ message }) => message).filter(({ member }) => !this.#refused.has(member));
  }

  /** Gives a worker no more tasks in this run. */
  refuse(member: string, reason: string): void {
    this.#refused.add(member);
    this.#options.log(`Worker ${this.nameOf(member)} is not used any more: ${reason}`);
  }

  /** The name of a worker, for messages; its id if it was never heard. */
  nameOf(member: string): string {
    return this.#heard.get(member)?.message.name ?? member;
  }

  get reportMilliseconds(): number {
    return this.#options.reportMilliseconds;
  }

  /** Waits for the next report, for some time at most. */
  change(milliseconds: number): Promise<void> {
    return this.#wake.within(milliseconds);
  }

  stop(): void {
    clearInterval(this.#ticks);
    this.#subscription.unsubscribe();
  }

  /**
   * The time in which this process listened, in milliseconds. A process that was stopped, or did not get a core, finds the reports of
   * that time only after its timers, and must not count all workers as lost.
   */
  #listened(): number {
    const now = performance.now();
    this.#stoppedMilliseconds += Math.max(0, now - this.#tickedAt - 2 * this.#options.reportMilliseconds);
    this.#tickedAt = now;
    return now - this.#stoppedMilliseconds;
  }

  #take(bytes: Uint8Array): void {
    try {
      const message = readMember(this.#run, bytes);
      const { version } = this.#options;
      const isKnown = this.#heard.has(message.member);
      if (!isKnown && message.version !== version)
        this.#options.log(`Worker ${message.name} has wgrad ${message.version}, not ${version}, and gets no tasks.`);
      this.#heard.set(message.member, { at: this.#listened(), message });
      if (message.version !== version) this.#refused.add(message.member);
      this.#wake.now();
    } catch (error) {
      if (!(error instanceof MessageError)) throw error;
      if (this.#invalid++ === 0) this.#options.log(`An invalid report of a worker was ignored: ${error.message}`);
    }
  }
}
