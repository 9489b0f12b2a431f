import { excerpt, GraphError, OptionError } from "../errors.ts";
import { stepScalar } from "../graph/leaves.ts";
import { sizeOf, type Shape, type Tensor } from "../graph/tensor.ts";
import { dropoutMask } from "../ops/dropout/index.ts";
import { add, multiply } from "../ops/elementwise/index.ts";
import { reshape } from "../ops/layout/index.ts";
import { matmul } from "../ops/matmul/index.ts";
import type { Precision } from "../ops/matmul/precision.ts";
import { activationOf, rectifiers, type ActivationName, type CustomActivation } from "./activations.ts";
import { requireCount, requireNumber } from "./checks.ts";
import { heNormal, xavierUniform, zeros, type Fans, type Initializer } from "./initializers.ts";

/** A layer as plain JSON: its type and that type's options. */
export interface LayerConfig {
  readonly type: string;
  readonly [option: string]: string | number | boolean;
}

/** What a layer learns about its place when the model is built. */
export interface LayerContext {
  /** The layer's position in the model, from 0. */
  readonly index: number;
  /** The shape of one example that reaches the layer. */
  readonly inputShape: Shape;
  /** The name of the activation that the next layer applies to this one's output, if it is an activation layer. */
  readonly nextActivation: string | undefined;
  /** Makes a parameter named `layers.INDEX.NAME`, with initial values from a random stream of its own. */
  parameter(name: string, shape: Shape, initializer: Initializer, fans: Fans): Tensor;
}

/** How a model is applied. */
export interface ApplyOptions {
  /** Whether dropout drops; false by default. */
  readonly training?: boolean;
  /**
   * The key of a dropout layer's mask at a step, a uint32. By default `dropoutKey(model.seed, step, layer)`; whoever
   * applies the model several times in one step gives each its own.
   */
  readonly dropoutKeyAt?: (step: number, layer: number) => number;
  /** Of the matrix products; "float32" by default. See `matmul`. */
  readonly precision?: Precision;
}

/** A layer with its parameters. */
export interface BuiltLayer {
  /** The shape of one example that leaves the layer. */
  readonly outputShape: Shape;
  /**
   * What the layer makes of examples.
   * @param x [batch, ...inputShape]
   * @returns [batch, ...outputShape]
   */
  apply(x: Tensor, options: Required<ApplyOptions>): Tensor;
}

/** One step of a model, before it knows the shape of its input. */
export interface Layer {
  readonly config: LayerConfig;
  /** Makes the layer's parameters and says what shape leaves it. */
  build(context: LayerContext): BuiltLayer;
}

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

/**
 * A function applied to each element; see `activations` for the names.
 * @throws OptionError for an unknown name, and for one of your own that is no activation
 */
export function activation(given: ActivationName | CustomActivation): Layer {
  const chosen = activationOf("activation layer", given);
  return {
    config: { type: "activation", name: chosen.name },
    build: ({ inputShape }) => ({ outputShape: inputShape, apply: (x) => chosen.apply(x) }),
  };
}

/** Makes one axis of all the axes of an example, row-major. */
export function flatten(): Layer {
  return {
    config: { type: "flatten" },
    build: ({ inputShape }) => ({
      outputShape: [sizeOf(inputShape)],
      apply: (x) => reshape(x, [x.shape[0]!, sizeOf(inputShape)]),
    }),
  };
}

/**
 * In training, each element is 0 with probability `rate` and multiplied by 1 / (1 − rate) otherwise, so that its
 * expectation stays; else nothing happens (inverted dropout; Srivastava et al. 2014, section 10).
 * @param rate in [0, 1)
 * @throws OptionError for a rate outside [0, 1)
 */
export function dropout(rate: number): Layer {
  requireNumber("dropout rate", rate, rate >= 0 && rate < 1, "the share of elements to drop, in [0, 1)");
  return {
    config: { type: "dropout", rate },
    build: ({ inputShape, index }) => ({
      outputShape: inputShape,
      apply(x, { training, dropoutKeyAt }) {
        if (!training || rate === 0) return x;
        const key = stepScalar(`layers.${index}.key`, (step) => dropoutKeyAt(step, index), "uint32");
        return multiply(x, dropoutMask(x.shape, rate, key));
      },
    }),
  };
}
