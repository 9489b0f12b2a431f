/*
 * How threads work together. A phase is one function over [0, units), cut into chunks. The calling thread writes the phase
 * into the control words, sets REMAINING to the number of chunks, and wakes the others. Each thread takes chunks, by
 * counting REMAINING down, until there are none; the last chunk that is done sets PENDING to 0, which the calling thread
 * waits for. A thread that wakes late takes fewer chunks or none, and nobody waits for it. What a chunk computes does not
 * depend on who computes it.
 *
 * A thread that sleeps receives no messages: one that has messages leaves its loop (SENT counts those sent to each).
 */

/** The first byte of the control words; AssemblyScript leaves the first 1024 bytes of its memory alone. */
export const CONTROL = 64;

/** Where the control words are, counted from `CONTROL` in words of four bytes. Those that threads wait for lie apart. */
export const words = {
  /** Changes whenever threads shall wake up. */
  wake: 0,
  /** Chunks that no thread has taken. */
  remaining: 16,
  /** Chunks that are not done. */
  pending: 32,
  /** 1 where a chunk failed. */
  failed: 48,
  /** The phase: index of the function in the table, its arguments, units in all, in the first chunk and in others, chunks. */
  function: 64,
  args: 65,
  units: 66,
  firstUnits: 67,
  chunkUnits: 68,
  chunks: 71,
  /** Byte address of the first thread's scratch memory, and bytes from one thread's to the next. */
  scratch: 69,
  scratchStride: 70,
  /** Messages sent to each thread. */
  sent: 80,
} as const;

/** Threads, the calling one among them: what the control words have room for. */
export const MOST_THREADS = 64;

/** A module whose functions lie in the table of every thread. */
export interface SharedModule {
  readonly module: WebAssembly.Module;
  /** How many functions of JavaScript it imports as `host`; only the calling thread calls them. */
  readonly hostFunctions: number;
}

/** Makes a thread ready. */
export interface StartMessage {
  readonly start: {
    /** Which thread it is, from 1: the calling one is 0. */
    readonly thread: number;
    readonly memory: WebAssembly.Memory;
    readonly control: number;
    readonly words: typeof words;
    readonly kernels: WebAssembly.Module;
    /** Names of the kernels in the order of their places in the table, from 1. */
    readonly names: readonly string[];
  };
}

/** Gives a thread more functions, after which it works. */
export interface ModulesMessage {
  readonly modules: readonly SharedModule[];
  readonly tableSize: number;
}

export type MessageToThread = StartMessage | ModulesMessage;

/** That a thread has handled another message, or that it failed. */
export type MessageFromThread = { readonly handled: true } | { readonly failed: string };
