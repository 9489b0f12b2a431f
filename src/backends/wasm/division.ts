/** The chunks of a phase. The calling thread runs the first one. */
export interface Division {
  readonly chunks: number;
  /** Number of units in the first chunk. */
  readonly firstUnits: number;
  /** Number of units in each other chunk; the last may have fewer. */
  readonly chunkUnits: number;
}

interface Work {
  readonly units: number;
  /** Chunks are multiples of this number of units. */
  readonly grain: number;
  /** The estimated time of all units on one thread. */
  readonly nanoseconds: number;
  readonly threads: number;
  /**
   * Chunks per thread. With several, a thread that starts late or is interrupted delays the others less; kernels with
   * work to prepare for each chunk use one.
   */
  readonly perThread: number;
}

/**
 * A notification costs the calling thread 11 µs, and another thread starts 17 µs after that (medians, two cores of a
 * virtual machine): less work than this is faster on one thread.
 */
const LEAST_NANOSECONDS = 60_000;
const WAKE_NANOSECONDS = 17_000;

/** A smaller chunk costs more than it saves. */
const CHUNK_NANOSECONDS = 8_000;

/**
 * Divides the units of a phase into chunks of whole grains; into one chunk if other threads would not make it faster.
 */
export function divide({ units, grain, nanoseconds, threads, perThread }: Work): Division {
  const grains = Math.ceil(units / grain);
  const most = Math.min(threads * perThread, grains, Math.floor(nanoseconds / CHUNK_NANOSECONDS));
  if (threads === 1 || nanoseconds < LEAST_NANOSECONDS || most < 2)
    return { chunks: 1, firstUnits: units, chunkUnits: units };
  // With one chunk per thread, the other threads start later and get fewer units.
  const late = perThread === 1 ? (WAKE_NANOSECONDS / nanoseconds) * grains : 0;
  const chunkGrains = Math.max(1, Math.round((grains - late) / most));
  const firstUnits = Math.min(units, Math.max(chunkGrains, grains - (most - 1) * chunkGrains) * grain);
  const chunkUnits = chunkGrains * grain;
  return { chunks: 1 + Math.ceil((units - firstUnits) / chunkUnits), firstUnits, chunkUnits };
}
