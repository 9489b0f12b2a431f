import type { Session } from "../../backends/backend.ts";
import type { Tensor } from "../../graph/tensor.ts";
import type { BatchLayout, ColumnLeaves } from "../batches.ts";

/** Where the graphs of a step find their examples. */
export interface Feed {
  readonly leaves: ColumnLeaves;
  /** Whether each part of a divided step must be prepared separately. */
  readonly byParts: boolean;
  /** Says which nodes the graphs of a step have, before the first call of `prepare`: only leaves among them are written. */
  use(nodes: readonly Tensor[]): void;
  /** The maximum number of steps, starting at this one, that can be prepared together now; 0 while data is awaited. */
  stepsAllowed(step: number): number;
  /**
   * Waits until a step's examples can be prepared; undefined if they can be now.
   * @throws DataError if the source of the examples failed; OptionError if it cannot return to this step
   */
  ready(step: number): Promise<void> | undefined;
  /** Starts to upload or to read the examples of a step, so that this overlaps with the caller's own preparations. */
  begin(session: Session, step: number): void;
  /** The position in the leaves of the example at `offset` in a step's batch. */
  positionOf(step: number, offset: number): number;
  /**
   * Writes the examples of `steps` steps, or of a step's part that starts at `offset`, to the device if they are not
   * there yet.
   */
  prepare(session: Session, step: number, steps: number, offset?: number): void;
  /** Stops reading. */
  dispose(): void;
}

/**
 * The maximum size of a window in bytes: it holds some dozens of steps, so that uploads are few, and takes little
 * memory.
 */
export const WINDOW_BYTES = 2 ** 24;

/** The bytes of an example in the widest column on the device, where rows of uint8 are padded to whole words. */
export function widestBytes({ columns }: BatchLayout): number {
  const bytes = Object.values(columns).map(({ dtype, width }) =>
    dtype === "uint8" ? 4 * Math.ceil(width / 4) : 4 * width,
  );
  return Math.max(...bytes);
}
