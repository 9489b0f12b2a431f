/*
 * What layers with weights, a bias and an activation have in common.
 */
import { excerpt, OptionError } from "../../errors.ts";
import { input } from "../../graph/leaves.ts";
import type { Shape, Tensor } from "../../graph/tensor.ts";
import { refuseOtherOptions, requireOptionsObject, type OptionNames } from "../../option-names.ts";
import { activationOf, rectifiers, type ActivationName, type CustomActivation } from "../activations.ts";
import { heNormal, xavierUniform, zeros, type Fans, type Initializer } from "../initializers.ts";
import { evaluation, type BuiltLayer, type LayerContext } from "./layer.ts";

/** The options of a layer with weights, a bias and an activation. */
export interface AffineOptions {
  /** The activation after the sum; "identity" by default. */
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

/** The checked options. */
export interface Affine {
  /** The part of the layer's config. */
  readonly config: { readonly activation: string; readonly bias: boolean };
  /**
   * Makes the layer's parameters, `weight` and `bias`.
   * @param outputs the number of biases
   */
  parameters(
    context: LayerContext,
    shape: Shape,
    outputs: number,
    fans: Fans,
  ): { readonly weight: Tensor; readonly bias?: Tensor };
  /** Applies the activation. */
  activate(sums: Tensor): Tensor;
}

/**
 * @param where the layer, for messages
 * @param names the layer's other options
 * @throws OptionError
 */
export function affineOf<Options extends AffineOptions>(
  where: string,
  options: Options,
  names: Omit<OptionNames<Options>, keyof AffineOptions>,
): Affine {
  // In PyTorch, the number of inputs comes first: dense(784, 128) would silently have 784 outputs.
  const example = "Give options such as { bias: false }; the number of inputs comes from the layer before";
  requireOptionsObject(where, options, example);
  refuseOtherOptions<AffineOptions>(where, options, {
    ...names,
    activation: true,
    bias: true,
    weights: true,
    biases: true,
  });
  const { bias = true, biases = zeros } = options;
  const chosen = activationOf(where, options.activation ?? "identity");
  const { name } = chosen;
  requireBoolean(`${where} bias`, bias);
  return {
    config: { activation: name, bias },
    parameters({ nextActivation, parameter }, shape, outputs, fans) {
      const followedBy = name === "identity" && nextActivation ? nextActivation : name;
      const initializer = options.weights ?? (rectifiers.has(followedBy) ? heNormal : xavierUniform);
      const weight = parameter("weight", shape, initializer, fans);
      return { weight, ...(bias && { bias: parameter("bias", [outputs], biases, fans) }) };
    },
    activate: (sums) => (name === "identity" ? sums : chosen.apply(sums)),
  };
}

/** @throws OptionError */
export function requireBoolean(where: string, value: boolean): void {
  if (typeof value === "boolean") return;
  throw new OptionError({ where, what: `${excerpt(value)} is not a boolean`, fix: "Give true or false" });
}

/** A built layer whose output shape is the one that its function gives for one example. */
export function builtFrom(inputShape: Shape, apply: BuiltLayer["apply"]): BuiltLayer {
  return { outputShape: apply(input("example", [1, ...inputShape]), evaluation).shape.slice(1), apply };
}
