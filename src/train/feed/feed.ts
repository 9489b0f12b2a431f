import type { Backend, Session } from "../../backends/backend.ts";
import type { TextDataset } from "../../data/text/dataset.ts";
import type { Tensor } from "../../graph/tensor.ts";
import type { BatchLayout, ColumnLeaves } from "../batches.ts";
import type { DataPlan } from "../plan.ts";
import type { StreamReader } from "./reader.ts";

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

/** Whether the examples are those of a stream. The reader's own file is loaded only then. */
export const isReader = (source: DataPlan["source"]): source is StreamReader => "stream" in source;

/** Bytes per token on the device. */
export const bytesOfToken = ({ tokens }: TextDataset): number => (tokens instanceof Uint8Array ? 1 : 2);

/** Whether the device can hold a text as one tensor. */
export const fitsDevice = (text: TextDataset, { maxTensorBytes }: Backend): boolean =>
  text.tokens.length * bytesOfToken(text) <= maxTensorBytes;

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
