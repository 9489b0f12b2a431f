import { excerpt, GraphError, OptionError } from "../../../errors.ts";
import type { Shape } from "../../../graph/tensor.ts";
import { add } from "../../../ops/elementwise/index.ts";
import { matmul } from "../../../ops/matmul/index.ts";
import { activationOf, rectifiers, type ActivationName, type CustomActivation } from "../../activations.ts";
import { requireCount } from "../../checks.ts";
import { heNormal, xavierUniform, zeros, type Initializer } from "../../initializers.ts";
import type { Layer, LayerType } from "../layer.ts";

/** The options of `dense`. */
export interface DenseOptions {
  /** The activation after the matrix product; "identity" by default. */
  readonly activation?: ActivationName | CustomActivation;
  /** Whether to add a bias; true by default. */
  readonly bias?: boolean;
  /**
   * The initializer of the weights. By default He normal if the activation is a rectifier (relu, leakyRelu, elu,
   * softplus, gelu, geluTanh, silu), and Xavier uniform otherwise. Without an activation, the next layer's activation
   * counts. Custom activations do not count as rectifiers.
   */
  readonly weights?: Initializer;
  /** The initializer of the biases; zeros by default. */
  readonly biases?: Initializer;
}

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
  const { bias = true, biases = zeros } = options;
  requireCount("dense units", units);
  const chosen = activationOf("dense", options.activation ?? "identity");
  const { name } = chosen;
  if (typeof bias !== "boolean") {
    throw new OptionError({
      where: "dense bias",
      what: `${excerpt(bias)} is not a boolean`,
      fix: "Give true or false",
    });
  }
  return {
    config: { type: "dense", units, activation: name, bias },
    build({ inputShape, nextActivation, parameter }) {
      const inputs = singleAxis(inputShape);
      const fans = { fanIn: inputs, fanOut: units };
      const followedBy = name === "identity" && nextActivation ? nextActivation : name;
      const initializer = options.weights ?? (rectifiers.has(followedBy) ? heNormal : xavierUniform);
      const weight = parameter("weight", [inputs, units], initializer, fans);
      const biasRow = bias ? parameter("bias", [units], biases, fans) : undefined;
      return {
        outputShape: [units],
        apply(x, { precision }) {
          const product = matmul(x, weight, { precision });
          const sums = biasRow ? add(product, biasRow) : product;
          return name === "identity" ? sums : chosen.apply(sums);
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
