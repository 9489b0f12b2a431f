import { excerpt, OptionError } from "../errors.ts";
import type { Tensor } from "../graph/tensor.ts";
import {
  elu,
  gelu,
  geluTanh,
  identity,
  leakyRelu,
  relu,
  sigmoid,
  silu,
  softplus,
  step,
  tanh,
} from "../ops/elementwise/index.ts";
import { entryOf } from "./checks.ts";

/** The built-in activations, with their default parameters (slope 0.01, α = 1). */
export const activations = {
  identity: (x: Tensor) => identity(x),
  step: (x: Tensor) => step(x),
  sigmoid: (x: Tensor) => sigmoid(x),
  tanh: (x: Tensor) => tanh(x),
  relu: (x: Tensor) => relu(x),
  leakyRelu: (x: Tensor) => leakyRelu(x),
  elu: (x: Tensor) => elu(x),
  softplus: (x: Tensor) => softplus(x),
  gelu: (x: Tensor) => gelu(x),
  geluTanh: (x: Tensor) => geluTanh(x),
  silu: (x: Tensor) => silu(x),
} as const satisfies Record<string, (x: Tensor) => Tensor>;

/** The name of one of `activations`. */
export type ActivationName = keyof typeof activations;

/** A custom activation. */
export interface CustomActivation {
  /** The name in a model's config, different from the names of the built-in activations. */
  readonly name: string;
  /**
   * The function, built from graph ops, which also determine its derivative, or made by `makeActivation`.
   * @param x float32 [batch, …]
   * @returns the same shape
   */
  apply(x: Tensor): Tensor;
}

/**
 * The activation for an option of a layer.
 * @param where the option, for messages
 * @throws OptionError for an unknown name, for an object that is not an activation, or for a custom activation with the
 * name of a built-in one
 */
export function activationOf(where: string, given: ActivationName | CustomActivation): CustomActivation {
  if (typeof given === "function") {
    const fix = 'Give its name, such as "relu", or { name, apply } for an activation of your own';
    throw new OptionError({ where, what: "a function has no name for the model's config", fix });
  }
  if (typeof given !== "object" || given === null) {
    return { name: given, apply: entryOf<(x: Tensor) => Tensor>(where, "activation", activations, given) };
  }
  const { name, apply } = given;
  if (typeof name !== "string" || name === "" || typeof apply !== "function") {
    const fix = "Give { name, apply }, where apply returns a tensor of the same shape";
    throw new OptionError({ where, what: `${excerpt(given)} is not an activation`, fix });
  }
  if (Object.hasOwn(activations, name)) {
    throw new OptionError({
      where,
      what: `"${name}" is the name of a built-in activation`,
      fix: "Choose another name",
    });
  }
  return given;
}

/**
 * Activations that are near 0 for negative arguments and near x for positive ones, the case for which He's variance was
 * derived.
 */
export const rectifiers: ReadonlySet<string> = new Set<ActivationName>([
  "relu",
  "leakyRelu",
  "elu",
  "softplus",
  "gelu",
  "geluTanh",
  "silu",
]);
