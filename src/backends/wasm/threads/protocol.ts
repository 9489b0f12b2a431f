/*
 * The protocol between threads. A phase is one function over [0, units), divided into chunks. The calling thread writes
 * the phase into the control words, sets REMAINING to the number of chunks, and wakes the others. Each thread takes
 * chunks by decrementing REMAINING until there are none left. The last chunk to finish sets PENDING to 0, for which the
 * calling thread waits. A thread that wakes late takes fewer chunks or none, and no thread waits for it. The result of
 * a chunk does not depend on the thread that computes it.
 *
 * A blocked thread receives no messages. A thread with messages leaves its loop (SENT counts the messages sent to
 * each).
 */

/** The first byte of the control words; AssemblyScript does not use the first 1024 bytes of its memory. */
export const CONTROL = 64;

/**
 * The positions of the control words from `CONTROL`, in words of four bytes. Words that threads wait for are on
 * separate lines.
 */
export const words = {
  /** Changes to wake up the threads. */
  wake: 0,
  /** Number of chunks that no thread has taken. */
  remaining: 16,
  /** Number of unfinished chunks. */
  pending: 32,
  /** 1 if a chunk failed. */
  failed: 48,
  /**
   * The phase: index of the function in the table, its arguments, units in all, in the first chunk and in others,
   * chunks.
   */
  function: 64,
  args: 65,
  units: 66,
  firstUnits: 67,
  chunkUnits: 68,
  chunks: 71,
  /** Byte address of the first thread's scratch memory, and the distance to the next thread's in bytes. */
  scratch: 69,
  scratchStride: 70,
  /** Number of messages sent to each thread. */
  sent: 80,
} as const;

/** The maximum number of threads, including the calling one, for which there are control words. */
export const MOST_THREADS = 64;

/** A module whose functions are in the table of every thread. */
export interface SharedModule {
  readonly module: WebAssembly.Module;
  /** Number of JavaScript functions that it imports as `host`. Only the calling thread calls them. */
  readonly hostFunctions: number;
  /** The size that the table needs: the entry after its last function. Modules may arrive in another order than this. */
  readonly tableEnd: number;
}

/** Initializes a thread. */
export interface StartMessage {
  readonly start: {
    /** The index of the thread, from 1; the calling thread is 0. */
    readonly thread: number;
    readonly memory: WebAssembly.Memory;
    readonly control: number;
    readonly words: typeof words;
    readonly kernels: WebAssembly.Module;
    /** Names of the kernels in the order of their table indices, from 1. */
    readonly names: readonly string[];
  };
}

/** Installs more functions in a thread, which then takes chunks. */
export interface ModulesMessage {
  readonly modules: readonly SharedModule[];
}

export type MessageToThread = StartMessage | ModulesMessage;

/** Reports that a thread handled a message, or that it failed. */
export type MessageFromThread = { readonly handled: true } | { readonly failed: string };
