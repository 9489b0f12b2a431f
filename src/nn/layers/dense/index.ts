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
 * A fully connected layer, activation(x·W + b), with W [inputs, units] and b [units].
 *
 * @example
 * ```ts
 * const model = sequential([dense(128, { activation: "relu" }), dense(10)], { inputShape: [784] });
 * ```
 *
 * @param units number of outputs, at least 1
 * @throws OptionError for an option outside its range; GraphError, when the model is built, if its input has more than
 * one axis per example
 */
export function dense(units: number, options: DenseOptions = {}): Layer {
  requireCount("dense units", units);
  const affine = affineOf("dense", options);
  return {
    config: { type: "dense", units, ...affine.config },
    build(context) {
      const inputs = singleAxis(context.inputShape);
      const { weight, bias } = affine.parameters(context, [inputs, units], units, { fanIn: inputs, fanOut: units });
      return {
        outputShape: [units],
        apply(x, { precision }) {
          const product = matmul(x, weight, { precision });
          return affine.activate(bias ? add(product, bias) : product);
        },
      };
    },
  };
}

function singleAxis(shape: Shape): number {
  if (shape.length !== 1) {
    throw new GraphError({
      where: "dense",
      what: `its input has the shape [${shape.join(", ")}] per example instead of one axis of features`,
      fix: "Insert flatten() before this layer",
    });
  }
  return shape[0]!;
}

export const layerType: LayerType = {
  options: ["units", "activation", "bias"],
  fromConfig: ({ units, activation, bias }, resolver) =>
    dense(units as number, { activation: resolver.activation(activation), bias: bias as boolean }),
  summarize: ({ units, activation }) => ({ units: units as number, activation: activation as string }),
};
