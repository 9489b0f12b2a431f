import { OptionError } from "../../errors.ts";
import { requireCount } from "../checks.ts";
import { functionalModel, type FunctionalModel, type FunctionalOptions } from "../functional.ts";
import { normal } from "../initializers.ts";
import { dropout as dropoutLayer } from "../layers/dropout/index.ts";
import type { Layer } from "../layers/layer.ts";
import { layerNorm } from "../layers/layerNorm/index.ts";
import { positionEmbedding } from "../layers/positionEmbedding/index.ts";
import { tiedEmbedding } from "../layers/tiedEmbedding/index.ts";
import { transformerBlock } from "../layers/transformerBlock/index.ts";

/** The options of `models.gpt`. */
export interface GptOptions extends Omit<FunctionalOptions, "inputs"> {
  /** The number of tokens that there are. */
  readonly vocabulary: number;
  /** The number of tokens that an example has, and that a token can be predicted from. */
  readonly context: number;
  /** The number of transformer blocks; 6 by default. */
  readonly layers?: number;
  /** The number of attention heads of a block, which divides the width; 6 by default. */
  readonly heads?: number;
  /** The size of the vector of a token; 384 by default. */
  readonly width?: number;
  /** The rate of dropout after the embeddings and in the blocks, in [0, 1); 0 by default. */
  readonly dropout?: number;
  /** Whether the products of the blocks have a bias; true by default. */
  readonly bias?: boolean;
}

/** The standard deviation of the initial weights of GPT-2. */
const DEVIATION = 0.02;

/**
 * The layer of `models.gpt`, for a sequential model: from [context] token numbers to [context, vocabulary] logits.
 *
 * @example
 * ```ts
 * const model = sequential([models.gptLayer({ vocabulary: 65, context: 64 })], { inputShape: [64] });
 * ```
 *
 * @throws OptionError for an option outside its range
 */
export function gptLayer(options: Omit<GptOptions, "seed" | "name">): Layer {
  const { vocabulary, context, layers = 6, heads = 6, width = 384, dropout = 0, bias = true } = options;
  for (const [name, value] of Object.entries({ vocabulary, context, layers, heads, width }))
    requireCount(`gpt ${name}`, value);
  if (width % heads !== 0) {
    const what = `${heads} heads do not divide a width of ${width}`;
    throw new OptionError({ where: "gpt heads", what, fix: "Give a number of heads that divides the width" });
  }
  const weights = normal(DEVIATION);
  // There are two sums with the residual connection in each block; their variance adds up.
  const outputWeights = normal(DEVIATION / Math.sqrt(2 * layers));
  const block = transformerBlock({ heads, hidden: 4 * width, causal: true, dropout, bias, weights, outputWeights });
  const inner = [
    positionEmbedding(context, { weights }),
    ...(dropout === 0 ? [] : [dropoutLayer(dropout)]),
    ...Array.from({ length: layers }, () => block),
    layerNorm(),
  ];
  return tiedEmbedding(vocabulary, width, inner, { weights });
}

/**
 * GPT-2 (Radford et al. 2019) as nanoGPT builds and initializes it: token and position embeddings, transformer blocks with
 * GELU and normalization before each branch, and the token embedding as the output matrix. Weights are normal with standard
 * deviation 0.02, divided by √(2 · layers) for the last product of each branch; biases are 0.
 *
 * The input `tokens` is uint32 [batch, context], each below `vocabulary`. The output `logits` has the shape
 * [batch, context, vocabulary], at each position those of the next token. The optimizers with weight decay apply it to
 * matrices, which include both embeddings, and not to biases and norms, as nanoGPT does. `toSequential` makes a sequential
 * model of it, which can be exported.
 *
 * @example
 * ```ts
 * const model = models.gpt({ vocabulary: 65, context: 64, layers: 4, heads: 4, width: 128 });
 * const { logits } = model.apply({ tokens });
 * const loss = softmaxCrossEntropy(logits, nextTokens);
 * ```
 *
 * @throws OptionError for an option outside its range
 */
export function gpt(options: GptOptions): FunctionalModel<"tokens", "logits"> {
  const { seed, name } = options;
  const layer = gptLayer(options);
  const shape = [options.context];
  return functionalModel(
    {
      inputs: { tokens: { shape, dtype: "uint32" } },
      seed,
      name,
    },
    ({ tokens }, { use }) => ({ logits: use(layer, tokens, "gpt") }),
  );
}
