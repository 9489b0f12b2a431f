import { refuseOtherOptions } from "../../../option-names.ts";
import { GraphError } from "../../../errors.ts";
import { add } from "../../../ops/elementwise/index.ts";
import { matmul } from "../../../ops/matmul/index.ts";
import { normal, zeros, type Initializer } from "../../initializers.ts";
import { requireBoolean } from "../affine.ts";
import { buildChain, configsOf, layersFrom, requireSomeLayers } from "../chain.ts";
import { requireTable, rowsOf } from "../embedding/index.ts";
import type { Layer, LayerType } from "../layer.ts";

/** The options of `layers.tiedEmbedding`. */
export interface TiedEmbeddingOptions {
  /** The initializer of the table; normal with standard deviation 0.02 by default, as in GPT-2. */
  readonly weights?: Initializer;
  /** Whether the logits have a bias, a parameter `bias` [entries] that is initially 0; false by default, as in GPT-2. */
  readonly bias?: boolean;
}

/**
 * A language model whose embedding is also its output matrix (Press and Wolf 2017): an embedding of the indices, layers
 * on the vectors, and the product of their results with the transposed table. Its input has indices of any shape,
 * [length] for example, as `embedding` takes them; its output is [length, entries], the logits.
 * @param entries number of rows of the table, at most 2²⁴
 * @param width the size of a vector, which the layers must keep
 * @param layers at least one; their parameters are named by their positions, as in `sequential`
 * @throws OptionError for an option outside its range; GraphError, when the model is built, if the last layer gives
 * another width
 */
export function tiedEmbedding(
  entries: number,
  width: number,
  layers: readonly Layer[],
  options: TiedEmbeddingOptions = {},
): Layer {
  requireTable("tiedEmbedding", entries, width);
  refuseOtherOptions("tiedEmbedding", options, { weights: true, bias: true });
  const { weights = normal(0.02), bias: hasBias = false } = options;
  requireBoolean("tiedEmbedding bias", hasBias);
  requireSomeLayers("tiedEmbedding", layers);
  return {
    // A config without a bias is that of files from before there was one.
    config: { type: "tiedEmbedding", entries, width, layers: configsOf(layers), ...(hasBias && { bias: true }) },
    build(context) {
      const fans = { fanIn: entries, fanOut: width };
      const table = context.parameter("weight", [entries, width], weights, fans);
      const inner = buildChain(layers, {
        context: { ...context, inputShape: [...context.inputShape, width], nextActivation: undefined },
      });
      if (inner.outputShape.at(-1) !== width) {
        throw new GraphError({
          where: `layer ${context.path}, tiedEmbedding`,
          what: `its layers give [${inner.outputShape.join(", ")}] per example instead of vectors of ${width}`,
          fix: "Give layers that keep the last axis",
        });
      }
      // After the layers, whose initial values are then those without a bias.
      const bias = hasBias ? context.parameter("bias", [entries], zeros, fans) : undefined;
      return {
        outputShape: [...inner.outputShape.slice(0, -1), entries],
        apply(x, applied) {
          const vectors = inner.apply(rowsOf(table, x), applied);
          const logits = matmul(vectors, table, { transposeRight: true, precision: applied.precision });
          return bias ? add(logits, bias) : logits;
        },
      };
    },
  };
}

export const layerType: LayerType = {
  options: ["entries", "width", "layers", "bias"],
  rareOptions: ["bias"],
  takesIndices: true,
  fromConfig: ({ entries, width, layers, bias }, resolver) =>
    tiedEmbedding(entries as number, width as number, layersFrom("tiedEmbedding layers", layers, resolver), {
      bias: bias as boolean | undefined,
    }),
};
