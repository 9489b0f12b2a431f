import type { Division } from "../division.ts";
import type { WasmSource, WasmThread } from "../source.ts";
import type { WasmMemory } from "../memory.ts";
import {
  CONTROL,
  words,
  type MessageFromThread,
  type MessageToThread,
  type SharedModule,
  type StartMessage,
} from "./protocol.ts";
import { thread as threadProgram } from "./thread.ts";

/** A function of the table, called for units [start, end). */
export type ThreadFunction = (args: number, start: number, end: number, scratch: number) => void;

/** One function over all of its units, in chunks that threads share. */
export interface Phase extends Division {
  readonly run: ThreadFunction;
  /** The function's index in the table. */
  readonly index: number;
  /** The byte address of its argument block. */
  readonly args: number;
  readonly units: number;
}

/**
 * How often the calling thread polls for the last chunks before it blocks: about 30 µs, the cost of a notification and
 * a wake-up.
 */
const LOOKS = 5000;

/** After this time without an answer, a thread may be dead, which only the event loop reports. */
const PATIENCE_MILLISECONDS = 500;

interface Member {
  readonly thread: WasmThread;
  /** The index of the thread, from 1. */
  readonly number: number;
  sent: number;
  handled: number;
  /** It has all functions, and takes chunks. */
  isReady: boolean;
  /** It did not start. The others work without it. */
  isMissing: boolean;
  readonly waiting: { readonly sent: number; resolve(): void; reject(reason: unknown): void }[];
}

/** Options of a `ThreadPool`. */
export interface PoolOptions {
  readonly source: WasmSource;
  /** Number of threads in addition to the calling one. */
  readonly others: number;
  readonly memory: WasmMemory;
  readonly kernels: StartMessage["start"]["kernels"];
  readonly names: readonly string[];
  /** Called if a thread died, or a function failed in it. */
  fail(reason: string): void;
}

/** The threads that compute. The calling thread is the first; the others join when they have started. */
export class ThreadPool {
  readonly #control: Int32Array;
  readonly #memory: WasmMemory;
  readonly #members: readonly Member[];
  readonly #modules: SharedModule[] = [];
  #scratch = 0;
  /** Why the threads were terminated. */
  #ended: Error | undefined;
  /** Resolves when all threads have joined, or the pool has ended. */
  readonly joined: Promise<unknown>;

  constructor({ source, others, memory, kernels, names, fail }: PoolOptions) {
    this.#memory = memory;
    this.#control = new Int32Array(memory.memory.buffer, CONTROL);
    const program = threadProgram.toString();
    this.#members = Array.from({ length: others }, (_, position) => {
      const number = position + 1;
      const events = {
        message: (message: unknown) => this.#hear(member, message as MessageFromThread, fail),
        died: (reason: string) => {
          if (member.isReady) fail(`thread ${number} died: ${reason}`);
          else this.#leaveOut(member, reason);
        },
      };
      const thread = source.startThread(program, events);
      const member: Member = { thread, number, sent: 0, handled: 0, isReady: false, isMissing: false, waiting: [] };
      return member;
    });
    const start = { memory: memory.memory, control: CONTROL, words, kernels, names };
    this.joined = Promise.allSettled(
      this.#members.map(async (member) => {
        await this.#post(member, { start: { ...start, thread: member.number } });
        member.isReady = true;
        await this.#post(member, { modules: this.#modules });
      }),
    );
  }

  /** Threads besides the calling one. */
  get others(): number {
    return this.#members.filter(({ isMissing }) => !isMissing).length;
  }

  /** Installs the functions of a module in all threads. */
  async install(module: SharedModule): Promise<void> {
    this.#modules.push(module);
    // A thread that is still starting receives all modules afterwards.
    const ready = this.#members.filter(({ isReady }) => isReady);
    await Promise.all(ready.map((member) => this.#post(member, { modules: [module] })));
  }

  /**
   * Sets the address of the calling thread's scratch memory, and the distance between those of the threads in bytes.
   */
  setScratch(address: number, stride: number): void {
    this.#scratch = address;
    this.#control[words.scratch] = address;
    this.#control[words.scratchStride] = stride;
  }

  /**
   * Runs a phase.
   * @returns false if another thread is still working after a long wait: then call `wait` after a turn of the event loop
   */
  run({ run, index, args, units, firstUnits, chunkUnits, chunks }: Phase): boolean {
    if (chunks === 1 || this.#members.length === 0) {
      run(args, 0, units, this.#scratch);
      return true;
    }
    const control = this.#control;
    control[words.function] = index;
    control[words.args] = args;
    control[words.units] = units;
    control[words.firstUnits] = firstUnits;
    control[words.chunkUnits] = chunkUnits;
    control[words.chunks] = chunks;
    Atomics.store(control, words.pending, chunks);
    Atomics.store(control, words.remaining, chunks);
    this.#wake(chunks - 1);
    for (;;) {
      const remaining = Atomics.load(control, words.remaining);
      if (remaining <= 0) break;
      if (Atomics.compareExchange(control, words.remaining, remaining, remaining - 1) !== remaining) continue;
      const position = chunks - remaining;
      const start = position === 0 ? 0 : firstUnits + (position - 1) * chunkUnits;
      run(args, start, Math.min(position === 0 ? firstUnits : start + chunkUnits, units), this.#scratch);
      Atomics.sub(control, words.pending, 1);
    }
    return this.wait();
  }

  /** Waits for the chunks of other threads. @returns as `run` */
  wait(): boolean {
    for (let look = 0; look < LOOKS; look++) if (Atomics.load(this.#control, words.pending) === 0) return true;
    for (;;) {
      const pending = Atomics.load(this.#control, words.pending);
      if (pending === 0) return true;
      if (Atomics.wait(this.#control, words.pending, pending, PATIENCE_MILLISECONDS) === "timed-out") return false;
    }
  }

  /** Whether a chunk failed in another thread. The reason arrives as a message. */
  get hasFailed(): boolean {
    return this.#control[words.failed] !== 0;
  }

  /** Terminates the threads. Pending and later calls fail with the reason. */
  end(reason: Error): void {
    this.#ended = reason;
    for (const { thread, waiting } of this.#members) {
      thread.end();
      for (const { reject } of waiting.splice(0)) reject(reason);
    }
  }

  #leaveOut(member: Member, reason: string): void {
    member.isMissing = true;
    for (const { reject } of member.waiting.splice(0)) reject(new Error(reason));
  }

  #wake(most: number): void {
    Atomics.add(this.#control, words.wake, 1);
    Atomics.notify(this.#control, words.wake, most);
  }

  async #post(member: Member, message: MessageToThread): Promise<void> {
    if (this.#ended) throw this.#ended;
    member.sent++;
    const handled = new Promise<void>((resolve, reject) => {
      member.waiting.push({ sent: member.sent, resolve, reject });
    });
    // A caller waits for the answer, so the process must not exit before it arrives.
    member.thread.keepsProcess(true);
    // Before the message: a thread that has handled more messages than were counted would leave its loop for good.
    if (this.#memory.isShared) Atomics.store(this.#control, words.sent + member.number, member.sent);
    member.thread.post(message);
    this.#wake(Infinity);
    await handled;
  }

  #hear(member: Member, message: MessageFromThread, fail: (reason: string) => void): void {
    if ("failed" in message) {
      fail(`thread ${member.number} failed: ${message.failed}`);
      return;
    }
    member.handled++;
    while (member.waiting[0] && member.waiting[0].sent <= member.handled) member.waiting.shift()!.resolve();
    if (member.waiting.length === 0) member.thread.keepsProcess(false);
  }
}
