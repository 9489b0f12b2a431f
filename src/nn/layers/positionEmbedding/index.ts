import { refuseOtherOptions } from "../../../option-names.ts";
import { GraphError } from "../../../errors.ts";
import { add } from "../../../ops/elementwise/index.ts";
import { slice } from "../../../ops/indexing/index.ts";
import { requireCount } from "../../checks.ts";
import { normal, type Initializer } from "../../initializers.ts";
import type { Layer, LayerType } from "../layer.ts";
import { sequenceShape } from "../sequences.ts";

/** The options of `layers.positionEmbedding`. */
export interface PositionEmbeddingOptions {
  /** The initializer of the table; normal with standard deviation 0.02 by default. */
  readonly weights?: Initializer;
}

/**
 * Adds a learned vector to each position of a sequence. The input and the output are [positions, width].
 * @param length the number of positions that have a vector; a sequence may be shorter
 * @throws OptionError for a length that is not a whole number of at least 1; GraphError, when the model is built, if its
 * input is not a sequence, or a longer one
 */
export function positionEmbedding(length: number, options: PositionEmbeddingOptions = {}): Layer {
  requireCount("positionEmbedding length", length);
  refuseOtherOptions("positionEmbedding", options, { weights: true });
  const { weights = normal(0.02) } = options;
  return {
    config: { type: "positionEmbedding", length },
    build({ inputShape, parameter }) {
      const [positions, width] = sequenceShape("positionEmbedding", inputShape);
      if (positions > length) {
        throw new GraphError({
          where: "positionEmbedding",
          what: `its input has ${positions} positions, and only ${length} have a vector`,
          fix: "Give a larger length, or shorter sequences",
        });
      }
      const table = parameter("weight", [length, width], weights, { fanIn: length, fanOut: width });
      return { outputShape: inputShape, apply: (x) => add(x, slice(table, [{ end: positions }])) };
    },
  };
}

export const layerType: LayerType = {
  options: ["length"],
  fromConfig: ({ length }) => positionEmbedding(length as number),
};
