/*
 * Two small networks of GPT-2, for the comparison with PyTorch.
 */
import { layers, models, sequential, type Model } from "../../../src/nn/index.ts";
import { normal } from "../../../src/nn/initializers.ts";
import { startFrom } from "../../../src/nn/start-from.ts";
import { initialValues } from "../../../src/formats/model.ts";
import { Random } from "../../../src/random.ts";

const { layerNorm, positionEmbedding, tiedEmbedding, transformerBlock } = layers;

/** Replaces every value, also those of biases and norms, which would start as 0 and 1. */
function withNoise(model: Model): Model {
  const values = Object.entries(initialValues(model)).map(([name, { shape }], seed) => {
    return [name, { shape, values: normal(0.5)(shape, { fanIn: 1, fanOut: 1 }, new Random(7, seed)) }] as const;
  });
  return startFrom(model, Object.fromEntries(values)).model as Model;
}

/** models.gptLayer, and one with another activation, number of hidden units and length, and without biases. */
export function makeModels(): Readonly<Record<"gpt" | "other", Model>> {
  const gpt = models.gptLayer({ vocabulary: 11, context: 6, layers: 2, heads: 2, width: 8, dropout: 0.1 });
  const block = transformerBlock({ heads: 4, hidden: 20, activation: "geluTanh", causal: true, bias: false });
  const other = tiedEmbedding(11, 8, [positionEmbedding(9), block, layerNorm()]);
  return {
    gpt: withNoise(sequential([gpt], { inputShape: [6] })),
    other: withNoise(sequential([other], { inputShape: [6] })),
  };
}

/** Three examples of six tokens. */
export const TOKENS = [
  [0, 1, 2, 3, 4, 5],
  [10, 9, 8, 7, 6, 5],
  [3, 3, 3, 0, 0, 10],
];
