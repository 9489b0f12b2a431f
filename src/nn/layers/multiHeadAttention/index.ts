import { GraphError, OptionError } from "../../../errors.ts";
import type { Tensor } from "../../../graph/tensor.ts";
import { refuseOtherOptions, type OptionNames } from "../../../option-names.ts";
import { attention, attentionWeights, rotateByPosition } from "../../../ops/attention/index.ts";
import { slice } from "../../../ops/indexing/index.ts";
import { reshape, transpose } from "../../../ops/layout/index.ts";
import { requireCount, requireNumber } from "../../checks.ts";
import { xavierUniform, type Initializer } from "../../initializers.ts";
import { requireBoolean } from "../affine.ts";
import { optionsOf, type Layer, type LayerApplyOptions, type LayerType } from "../layer.ts";
import { linear, sequenceShape } from "../sequences.ts";
import { stepKey } from "../step-key.ts";

/** The options of `layers.multiHeadAttention`. */
export interface MultiHeadAttentionOptions {
  /** The number of heads, which divides the width; 1 by default. */
  readonly heads?: number;
  /** Whether a position attends only to itself and the positions before it; false by default. */
  readonly causal?: boolean;
  /** The rate of dropout of the attention weights in training, in [0, 1); 0 by default. */
  readonly dropout?: number;
  /** Whether both products have a bias; true by default. */
  readonly bias?: boolean;
  /** Whether queries and keys are rotated by their positions; see `rotateByPosition`. False by default. */
  readonly rotary?: boolean;
  /** The initializer of the weight of queries, keys and values; Xavier uniform by default. */
  readonly weights?: Initializer;
  /** The initializer of the weight after the heads; Xavier uniform by default. */
  readonly outputWeights?: Initializer;
}

/** The options of the config. */
const configNames: OptionNames<Omit<MultiHeadAttentionOptions, "weights" | "outputWeights">> = {
  heads: true,
  causal: true,
  dropout: true,
  bias: true,
  rotary: true,
};

/**
 * Attention with several heads (Vaswani et al. 2017, section 3.2): each position of a sequence attends to all of them, or
 * to those of a mask, which a functional model gives as `use(layer, x, { mask })`. The input and the output are
 * [length, width]. With `use(layer, x, { memory })`, the keys and values are those of another sequence, [any length, width],
 * as in the decoder of a translator. Its parameters are `weight` [width, 3 · width] and `bias` of the queries, keys and
 * values, in this order, with width / heads columns per head; and `output.weight` [width, width] and `output.bias`.
 * @throws OptionError for an option outside its range; also, when the model is built, if the heads do not divide the
 * width, or if the width of a head is odd and `rotary` is true. GraphError, when the model is built, if its input is not a
 * sequence
 */
export function multiHeadAttention(options: MultiHeadAttentionOptions = {}): Layer {
  refuseOtherOptions("multiHeadAttention", options, { ...configNames, weights: true, outputWeights: true });
  const { weights = xavierUniform, outputWeights = xavierUniform } = options;
  const config = attentionConfig("multiHeadAttention", options);
  const { causal, dropout, bias } = config;
  return {
    config: { type: "multiHeadAttention", ...config },
    build(context) {
      const [length, width] = sequenceShape("multiHeadAttention", context.inputShape);
      requireHeads(width, config);
      const fans = { fanIn: width, fanOut: width };
      const project = linear(context, { inputs: width, outputs: 3 * width, bias, initializer: weights, fans });
      const output = { inputs: width, outputs: width, bias, initializer: outputWeights, prefix: "output." };
      const merge = linear(context, output);
      return {
        outputShape: context.inputShape,
        apply(x, applied) {
          const { memory } = applied;
          const [q, k, v] = memory
            ? fromMemory(project, x, requireMemory(memory, x), applied, config)
            : divided(project(x, applied), 3, config);
          const isDropping = applied.training && dropout > 0;
          const { precision } = applied;
          const mask = applied.mask && maskOfKeys(applied.mask, memory ?? x);
          const reading = { causal, precision, mask };
          applied.recordAttention({ path: context.path, weights: attentionWeights(q!, k!, reading) });
          const attended = attention(q!, k!, v!, {
            ...reading,
            ...(isDropping && { dropout: { rate: dropout, key: stepKey(context, applied) } }),
          });
          return merge(reshape(transpose(attended, [0, 2, 1, 3]), [x.shape[0]!, length, width]), applied);
        },
      };
    },
  };
}

/**
 * A mask of valid positions as one of keys, for all heads and queries.
 * @throws GraphError unless it is float32 [batch, length]
 */
function maskOfKeys(mask: Tensor, { shape: [batch, length] }: Tensor): Tensor {
  if (mask.dtype === "float32" && mask.shape.join() === `${batch},${length}`)
    return reshape(mask, [batch!, 1, 1, length!]);
  throw new GraphError({
    where: "multiHeadAttention mask",
    what: `${mask} is not float32[${batch}, ${length}], a number for each position`,
    fix: "Give a mask that is 1 at valid positions and 0 at others",
  });
}

/** @throws GraphError unless the memory is a sequence of the width of the queries for each example */
function requireMemory(memory: Tensor, { shape: [batch, , width] }: Tensor): Tensor {
  const { dtype, shape } = memory;
  if (dtype === "float32" && shape.length === 3 && shape[0] === batch && shape[2] === width) return memory;
  throw new GraphError({
    where: "multiHeadAttention memory",
    what: `${memory} is not float32[${batch}, length, ${width}], vectors of the width of the queries`,
    fix: `Apply dense(${width}) to it before`,
  });
}

type AttentionConfig = ReturnType<typeof attentionConfig>;

/** The queries of a sequence, and the keys and values of another one. */
function fromMemory(
  project: ReturnType<typeof linear>,
  x: Tensor,
  memory: Tensor,
  applied: LayerApplyOptions,
  config: AttentionConfig,
): Tensor[] {
  const width = x.shape[2]!;
  const queries = divided(project(x, applied, { end: width }), 1, config);
  return [...queries, ...divided(project(memory, applied, { start: width }), 2, config)];
}

/**
 * Divides a product into its tensors and heads, and rotates all but the values.
 * @param count the number of tensors: 3 with the queries, keys and values, 2 without the queries, 1 for these only
 * @returns [batch, heads, length, width] each
 */
function divided(product: Tensor, count: 1 | 2 | 3, { heads, rotary }: AttentionConfig): Tensor[] {
  const [batch, length, columns] = product.shape as [number, number, number];
  const all = reshape(product, [batch, length, count, heads, columns / count / heads]);
  const turning = count === 1 ? 1 : count - 1;
  // In one kernel.
  const turned = rotary ? rotateByPosition(slice(all, [undefined, undefined, { end: turning }]), { axis: 1 }) : all;
  return Array.from({ length: count }, (_, part) => headsOf(part < turning ? turned : all, part));
}

/** One of the tensors in [batch, length, tensors, heads, width], as [batch, heads, length, width]. */
function headsOf(projected: Tensor, part: number): Tensor {
  const [batch, length, , heads, width] = projected.shape as [number, number, number, number, number];
  const own = slice(projected, [undefined, undefined, { start: part, end: part + 1 }]);
  return transpose(reshape(own, [batch, length, heads, width]), [0, 2, 1, 3]);
}

/**
 * The options with their default values, without initializers.
 * @throws OptionError
 */
export function attentionConfig(where: string, options: Omit<MultiHeadAttentionOptions, "weights" | "outputWeights">) {
  const { heads = 1, causal = false, dropout = 0, bias = true, rotary = false } = options;
  requireCount(`${where} heads`, heads);
  requireNumber(`${where} dropout`, dropout, dropout >= 0 && dropout < 1, "the fraction of weights to drop, in [0, 1)");
  for (const [name, value] of Object.entries({ causal, bias, rotary })) requireBoolean(`${where} ${name}`, value);
  return { heads, causal, dropout, bias, rotary };
}

function requireHeads(width: number, { heads, rotary }: { readonly heads: number; readonly rotary: boolean }): void {
  const where = "multiHeadAttention heads";
  if (width % heads !== 0) {
    const what = `${heads} heads do not divide a width of ${width}`;
    throw new OptionError({ where, what, fix: "Give a number of heads that divides the width" });
  }
  if (!rotary || (width / heads) % 2 === 0) return;
  const what = `a head has ${width / heads} elements, which are rotated in pairs`;
  throw new OptionError({ where, what, fix: "Give an even width per head" });
}

export const layerType: LayerType = {
  options: Object.keys(configNames),
  fromConfig: (config) => multiHeadAttention(optionsOf(config)),
};
