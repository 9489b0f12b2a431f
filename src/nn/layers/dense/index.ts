import { GraphError } from "../../../errors.ts";
import type { Shape } from "../../../graph/tensor.ts";
import { add } from "../../../ops/elementwise/index.ts";
import { matmul } from "../../../ops/matmul/index.ts";
import { requireCount } from "../../checks.ts";
import { affineOf, type AffineOptions } from "../affine.ts";
import type { Layer, LayerType } from "../layer.ts";

/** The options of `dense`. */
export type DenseOptions = AffineOptions;

/**
 * A fully connected layer, activation(x·W + b), with W [inputs, units] and b [units]. It applies to the last axis, as
 * PyTorch's nn.Linear does: an example of [..., inputs] becomes [..., units], so that all positions of a sequence share
 * the weights. Put `flatten()` before it to connect each unit with a whole image.
 *
 * @example
 * ```ts
 * const model = sequential([dense(128, { activation: "relu" }), dense(10)], { inputShape: [784] });
 * ```
 *
 * @param units number of outputs, at least 1
 * @throws OptionError for an option outside its range; GraphError, when the model is built, if an example of its input is
 * a single number
 */
export function dense(units: number, options: DenseOptions = {}): Layer {
  requireCount("dense units", units);
  const affine = affineOf("dense", options, {});
  return {
    config: { type: "dense", units, ...affine.config },
    build(context) {
      const inputs = lastAxis(context.inputShape);
      const { weight, bias } = affine.parameters(context, [inputs, units], units, { fanIn: inputs, fanOut: units });
      return {
        outputShape: [...context.inputShape.slice(0, -1), units],
        apply(x, { precision }) {
          const product = matmul(x, weight, { precision });
          return affine.activate(bias ? add(product, bias) : product);
        },
      };
    },
  };
}

function lastAxis(shape: Shape): number {
  const size = shape.at(-1);
  if (size !== undefined) return size;
  throw new GraphError({
    where: "dense",
    what: "an example of its input is a single number without axes",
    fix: "Give the input the shape [1]",
  });
}

export const layerType: LayerType = {
  options: ["units", "activation", "bias"],
  fromConfig: ({ units, activation, bias }, resolver) =>
    dense(units as number, { activation: resolver.activation(activation), bias: bias as boolean }),
  summarize: ({ units, activation }) => ({ units: units as number, activation: activation as string }),
};
