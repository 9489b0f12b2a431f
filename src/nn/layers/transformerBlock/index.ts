import { refuseOtherOptions, type OptionNames } from "../../../option-names.ts";
import { add } from "../../../ops/elementwise/index.ts";
import { activationOf, type ActivationName, type CustomActivation } from "../../activations.ts";
import { entryOf, requireCount } from "../../checks.ts";
import type { Initializer } from "../../initializers.ts";
import { requireBoolean } from "../affine.ts";
import { buildInner } from "../chain.ts";
import { dropout as dropoutLayer } from "../dropout/index.ts";
import { optionsOf, type Layer, type LayerConfig, type LayerType } from "../layer.ts";
import { layerNorm } from "../layerNorm/index.ts";
import { attentionConfig, multiHeadAttention } from "../multiHeadAttention/index.ts";
import { rmsNorm } from "../rmsNorm/index.ts";
import { sequenceShape } from "../sequences.ts";
import { feedForwardOf } from "./feed-forward.ts";

/** The options of `layers.transformerBlock`. */
export interface TransformerBlockOptions {
  /** The number of heads, which divides the width. */
  readonly heads: number;
  /** The number of hidden units of the feed-forward layers, usually 4 times the width. */
  readonly hidden: number;
  /** The activation of the hidden units; "gelu" by default. */
  readonly activation?: ActivationName | CustomActivation;
  /**
   * Whether activated units are multiplied by as many units without activation (Shazeer 2020): with the activation
   * "silu", this is SwiGLU. False by default.
   */
  readonly gated?: boolean;
  /** The normalization before each branch: "layer" (the default) for `layerNorm`, or "rms" for `rmsNorm`. */
  readonly norm?: "layer" | "rms";
  /** Whether a position attends only to itself and the positions before it; false by default. */
  readonly causal?: boolean;
  /** Whether queries and keys are rotated by their positions; see `rotateByPosition`. False by default. */
  readonly rotary?: boolean;
  /** Whether products have a bias; true by default. */
  readonly bias?: boolean;
  /** The rate of dropout of the attention weights and at the end of both branches, in [0, 1); 0 by default. */
  readonly dropout?: number;
  /**
   * The initializer of weights other than `outputWeights`. By default Xavier uniform for attention, and He normal for the
   * hidden units if their activation is a rectifier.
   */
  readonly weights?: Initializer;
  /** The initializer of the last weight of both branches; Xavier uniform by default. */
  readonly outputWeights?: Initializer;
}

/** The options of the config. */
const configNames: OptionNames<Omit<TransformerBlockOptions, "weights" | "outputWeights">> = {
  heads: true,
  hidden: true,
  activation: true,
  gated: true,
  norm: true,
  causal: true,
  rotary: true,
  bias: true,
  dropout: true,
};

const norms = { layer: () => layerNorm(), rms: () => rmsNorm() };

/**
 * A transformer block with normalization before each branch, as in GPT-2: x + attention(norm(x)), then x + output(
 * activation(hidden(norm(x)))). The input and the output are [length, width]. Parameters are named `attentionNorm.…`,
 * `attention.…` as in `multiHeadAttention`, `hiddenNorm.…`, `hidden.weight` [width, hidden], `gate.weight` [width, hidden]
 * if the units are gated, `output.weight` [hidden, width], and their biases. A functional model may give a mask of valid
 * positions, as `use(layer, x, { mask })`.
 *
 * @example
 * ```ts
 * const gelu = layers.transformerBlock({ heads: 4, hidden: 512, causal: true });
 * const swiglu = layers.transformerBlock({ heads: 4, hidden: 352, activation: "silu", gated: true, norm: "rms" });
 * ```
 *
 * @throws OptionError for an option outside its range; also, when the model is built, if the heads do not fit the width.
 * GraphError, when the model is built, if its input is not a sequence
 */
export function transformerBlock(options: TransformerBlockOptions): Layer {
  refuseOtherOptions(WHERE, options, { ...configNames, weights: true, outputWeights: true });
  const config = blockConfig(options);
  const activation = activationOf(`${WHERE} activation`, options.activation ?? "gelu");
  const { weights, outputWeights } = options;
  const own = { weights, outputWeights };
  const feedForward = feedForwardOf({ ...config, ...own, activation });
  const { norm, attention } = partsOf(config, own);
  const dropout = dropoutLayer(config.dropout);
  return {
    config,
    build(context) {
      const { inputShape } = context;
      sequenceShape(WHERE, inputShape);
      const inner = (layer: Layer, name: string, position: number) =>
        buildInner(layer, context, { name, position, inputShape });
      const attentionNorm = inner(norm, "attentionNorm", 0);
      const attend = inner(attention, "attention", 1);
      const attentionDropout = inner(dropout, "attentionDropout", 2);
      const hiddenNorm = inner(norm, "hiddenNorm", 3);
      const feed = feedForward(context, inputShape.at(-1)!);
      const hiddenDropout = inner(dropout, "hiddenDropout", 4);
      return {
        outputShape: inputShape,
        apply(x, applied) {
          const attended = attend.apply(attentionNorm.apply(x, applied), applied);
          const between = add(x, attentionDropout.apply(attended, applied));
          const fed = feed(hiddenNorm.apply(between, applied), applied);
          return add(between, hiddenDropout.apply(fed, applied));
        },
      };
    },
  };
}

const WHERE = "transformerBlock";

/**
 * The options of the config, with their default values.
 * @throws OptionError
 */
function blockConfig(options: TransformerBlockOptions) {
  const { hidden, gated = false, norm = "layer" } = options;
  requireCount(`${WHERE} heads`, options.heads);
  requireCount(`${WHERE} hidden`, hidden);
  requireBoolean(`${WHERE} gated`, gated);
  entryOf(`${WHERE} norm`, "norm", norms, norm);
  const { name: activation } = activationOf(`${WHERE} activation`, options.activation ?? "gelu");
  const { heads, causal, rotary, bias, dropout } = attentionConfig(WHERE, options);
  return { type: WHERE, heads, hidden, activation, gated, norm, causal, rotary, bias, dropout };
}

type BlockConfig = ReturnType<typeof blockConfig>;

/** The layers in a block that have parameters and configs of their own. */
export function partsOf(config: LayerConfig, initializers: Pick<TransformerBlockOptions, "weights" | "outputWeights">) {
  const { heads, causal, rotary, bias, dropout, norm } = config as BlockConfig;
  return {
    norm: norms[norm](),
    attention: multiHeadAttention({ heads, causal, rotary, bias, dropout, ...initializers }),
  };
}

export const layerType: LayerType = {
  options: Object.keys(configNames),
  fromConfig: (config, resolver) =>
    transformerBlock({
      ...(optionsOf(config) as unknown as TransformerBlockOptions),
      // A config in which options may be absent has no activation, which is then that of this function.
      ...("activation" in config && { activation: resolver.activation(config["activation"]) }),
    }),
};
