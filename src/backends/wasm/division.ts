/** How a phase is cut into chunks. The calling thread takes the first one. */
export interface Division {
  readonly chunks: number;
  /** Units of the first chunk. */
  readonly firstUnits: number;
  /** Units of each other chunk; the last may have fewer. */
  readonly chunkUnits: number;
}

interface Work {
  readonly units: number;
  /** Units are divided in multiples of this. */
  readonly grain: number;
  /** What one thread needs for all of it. */
  readonly nanoseconds: number;
  readonly threads: number;
  /**
   * Chunks for each thread. Where there are several, a thread that begins late or is interrupted holds up less; a kernel
   * that prepares something for each chunk wants one.
   */
  readonly perThread: number;
}

/**
 * A notification costs the calling thread 11 µs, and another thread begins 17 µs after that (medians, two cores of a virtual
 * machine): less work than this is done sooner by one thread.
 */
const LEAST_NANOSECONDS = 60_000;
const WAKE_NANOSECONDS = 17_000;

/** A chunk of less than this costs more than it spreads. */
const CHUNK_NANOSECONDS = 8_000;

/** Cuts the units of a phase into chunks of whole grains; one chunk where other threads do not pay. */
export function divide({ units, grain, nanoseconds, threads, perThread }: Work): Division {
  const grains = Math.ceil(units / grain);
  const most = Math.min(threads * perThread, grains, Math.floor(nanoseconds / CHUNK_NANOSECONDS));
  if (threads === 1 || nanoseconds < LEAST_NANOSECONDS || most < 2)
    return { chunks: 1, firstUnits: units, chunkUnits: units };
  // Where each thread takes one chunk, the others begin later and take less.
  const late = perThread === 1 ? (WAKE_NANOSECONDS / nanoseconds) * grains : 0;
  const chunkGrains = Math.max(1, Math.round((grains - late) / most));
  const firstUnits = Math.min(units, Math.max(chunkGrains, grains - (most - 1) * chunkGrains) * grain);
  const chunkUnits = chunkGrains * grain;
  return { chunks: 1 + Math.ceil((units - firstUnits) / chunkUnits), firstUnits, chunkUnits };
}
