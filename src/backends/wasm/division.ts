/** How a phase is cut for threads. */
export interface Division {
  readonly chunks: number;
  readonly chunkUnits: number;
}

interface Work {
  readonly units: number;
  /** Units are divided in multiples of this. */
  readonly grain: number;
  readonly flops: number;
  readonly bytes: number;
  readonly threads: number;
  /** Chunks for each thread, where the work is large: threads that begin late or are interrupted then hold up less. */
  readonly perThread: number;
}

/** What one thread does in a nanosecond: operations, a byte counted as half of one (measured at about 40). */
const OPERATIONS_PER_NANOSECOND = 40;

/** A wake-up and back costs 13 µs, so that less work than this is done sooner by one thread. */
const LEAST_NANOSECONDS = 30_000;

/** A chunk of less than this costs more than it spreads. */
const CHUNK_NANOSECONDS = 8_000;

/** Cuts the units of a phase into chunks of whole grains; one chunk where other threads do not pay. */
export function divide({ units, grain, flops, bytes, threads, perThread }: Work): Division {
  const nanoseconds = (flops + bytes / 2) / OPERATIONS_PER_NANOSECOND;
  const grains = Math.ceil(units / grain);
  const worthwhile = nanoseconds < LEAST_NANOSECONDS ? 1 : Math.floor(nanoseconds / CHUNK_NANOSECONDS);
  const most = threads === 1 ? 1 : Math.min(threads * perThread, worthwhile, grains);
  const chunkUnits = Math.ceil(grains / Math.max(1, most)) * grain;
  return { chunks: Math.ceil(units / chunkUnits), chunkUnits };
}
