import { refuseOtherOptions } from "../../../option-names.ts";
import type { Tensor } from "../../../graph/tensor.ts";
import { toIndex } from "../../../ops/convert/index.ts";
import { take } from "../../../ops/indexing/index.ts";
import { requireCount, requireNumber } from "../../checks.ts";
import { normal, type Initializer } from "../../initializers.ts";
import type { Layer, LayerType } from "../layer.ts";

/** The options of `layers.embedding`. */
export interface EmbeddingOptions {
  /** The initializer of the table; normal with standard deviation 1 by default, as in PyTorch. */
  readonly weights?: Initializer;
}

/** Integers up to this are exact in float32. */
const MOST_ENTRIES = 2 ** 24;

/**
 * A learned vector of `width` numbers for each of `entries` words, categories or other integers. Its input holds the
 * indices as integers in float32, like any model input. They must reach the layer unchanged, so give the trainer the
 * normalization `{ scale: 1, offset: 0 }`. Values that are not whole numbers in 0 … entries − 1 are refused when they are
 * written, as PyTorch refuses them; those that a graph computes are rounded down, and clamped to the first or the last row.
 * In a functional model, the indices may also be uint32.
 * Its output has one more axis: [length] becomes [length, width].
 * @param entries number of rows, at most 2²⁴
 * @throws OptionError for an option outside its range
 */
export function embedding(entries: number, width: number, options: EmbeddingOptions = {}): Layer {
  requireTable("embedding", entries, width);
  refuseOtherOptions("embedding", options, { weights: true });
  const { weights = normal(1) } = options;
  return {
    config: { type: "embedding", entries, width },
    build({ inputShape, parameter }) {
      const table = parameter("weight", [entries, width], weights, { fanIn: entries, fanOut: width });
      return {
        outputShape: [...inputShape, width],
        apply: (x) => rowsOf(table, x),
      };
    },
  };
}

/** @throws OptionError for sizes of a table of embeddings outside their range */
export function requireTable(where: string, entries: number, width: number): void {
  requireCount(`${where} entries`, entries);
  requireNumber(`${where} entries`, entries, entries <= MOST_ENTRIES, `at most ${MOST_ENTRIES}`);
  requireCount(`${where} width`, width);
}

/**
 * The rows of a table [entries, width] at indices: uint32, each below `entries`, or float32, see `toIndex`.
 * @returns the shape of the indices with one more axis, of `width`
 */
export const rowsOf = (table: Tensor, indices: Tensor): Tensor =>
  take(table, indices.dtype === "uint32" ? indices : toIndex(indices, { below: table.shape[0]! }));

export const layerType: LayerType = {
  options: ["entries", "width"],
  takesIndices: true,
  fromConfig: ({ entries, width }) => embedding(entries as number, width as number),
};
