import { excerpt, GraphError, OptionError } from "../../../errors.ts";
import type { Shape } from "../../../graph/tensor.ts";
import { add } from "../../../ops/elementwise/index.ts";
import { matmul } from "../../../ops/matmul/index.ts";
import { activationOf, rectifiers, type ActivationName, type CustomActivation } from "../../activations.ts";
import { requireCount } from "../../checks.ts";
import { heNormal, xavierUniform, zeros, type Initializer } from "../../initializers.ts";
import type { Layer, LayerType } from "../layer.ts";

/** What a dense layer adds to its matrix product, and what its parameters start from. */
export interface DenseOptions {
  /** Applied to the sums; "identity" by default. */
  readonly activation?: ActivationName | CustomActivation;
  /** Whether a bias is added; true by default. */
  readonly bias?: boolean;
  /**
   * Initial weights. By default He normal where the layer's own or, without one, the next layer's activation is a
   * rectifier (relu, leakyRelu, elu, softplus, gelu, geluTanh, silu), else, also for one of your own, Xavier uniform.
   */
  readonly weights?: Initializer;
  /** Initial biases; zeros by default. */
  readonly biases?: Initializer;
}

/**
 * A fully connected layer, activation(x·W + b), with W [inputs, units] and b [units].
 * @param units number of outputs, at least 1
 * @throws OptionError for an option outside its range; GraphError, when the model is built, where an example has more
 * than one axis
 */
export function dense(units: number, options: DenseOptions = {}): Layer {
  const { bias = true, biases = zeros } = options;
  requireCount("dense units", units);
  const chosen = activationOf("dense", options.activation ?? "identity");
  const { name } = chosen;
  if (typeof bias !== "boolean") {
    throw new OptionError({ where: "dense bias", what: `${excerpt(bias)} is neither true nor false`, fix: "Give one" });
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
      what: `an example that reaches the layer has shape [${shape.join(", ")}], not one axis of features`,
      fix: "Put flatten() before it",
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
