import type { Session } from "../../backends/backend.ts";
import type { TextDataset } from "../../data/text/dataset.ts";
import { windowKey, windowNumber } from "../../data/text/stream.ts";
import { input } from "../../graph/leaves.ts";
import type { Tensor } from "../../graph/tensor.ts";
import type { ColumnLeaves, TextLeaf } from "../batches.ts";
import type { DataPlan } from "../plan.ts";
import { bytesOfToken, type Feed } from "./feed.ts";

/** Keeps a text on the device, which draws the windows of each step by itself. */
export class TextFeed implements Feed {
  readonly leaves: ColumnLeaves;
  readonly byParts = false;
  readonly #plan: DataPlan;
  readonly #text: TextDataset;
  readonly #leaf: TextLeaf;
  /** Whether the text is still to be written to the device. */
  #isMissing = true;

  constructor(plan: DataPlan, text: TextDataset) {
    this.#plan = plan;
    this.#text = text;
    const tokens = input("text", [bytesOfToken(text), text.tokens.length], "uint8");
    this.#leaf = { tokens, key: windowKey(plan.seed), context: text.context };
    this.leaves = { columns: {}, text: this.#leaf };
  }

  use(nodes: readonly Tensor[]): void {
    this.#isMissing = nodes.includes(this.#leaf.tokens);
  }

  stepsAllowed(): number {
    return Infinity;
  }

  ready(): undefined {}

  begin(session: Session): void {
    this.prepare(session);
  }

  /** The number of a window. */
  positionOf(step: number, offset: number): number {
    return windowNumber(step, this.#plan.batchSize, offset);
  }

  prepare(session: Session): void {
    if (!this.#isMissing) return;
    this.#isMissing = false;
    session.write(this.#leaf.tokens, planes(this.#text));
  }

  dispose(): void {}
}

/** The low bytes of all tokens, then their high bytes. */
function planes({ tokens }: TextDataset): Uint8Array {
  if (tokens instanceof Uint8Array) return tokens;
  const { length } = tokens;
  const bytes = new Uint8Array(2 * length);
  for (let index = 0; index < length; index++) {
    bytes[index] = tokens[index]!;
    bytes[length + index] = tokens[index]! >> 8;
  }
  return bytes;
}
