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

/** The activations that layers know by name, with their parameters at the defaults (slope 0.01, α = 1). */
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

/** An activation of one's own. */
export interface CustomActivation {
  /** What stands for it in a model's config: a name that none of wgrad's own activations has. */
  readonly name: string;
  /**
   * Any function of graph ops, whose derivative follows from theirs, or one of `makeActivation`.
   * @param x float32 [batch, …]
   * @returns the same shape
   */
  apply(x: Tensor): Tensor;
}

/**
 * The activation that an option of a layer names or is.
 * @param where the option, for messages
 * @throws OptionError for an unknown name, and for an object that is no activation or has a name of wgrad's own
 */
export function activationOf(where: string, given: ActivationName | CustomActivation): CustomActivation {
  if (typeof given !== "object" || given === null) {
    return { name: given, apply: entryOf<(x: Tensor) => Tensor>(where, "activation", activations, given) };
  }
  const { name, apply } = given;
  if (typeof name !== "string" || name === "" || typeof apply !== "function") {
    const fix = "Give { name, apply }, where apply takes a tensor to one of the same shape";
    throw new OptionError({ where, what: `${excerpt(given)} is no activation`, fix });
  }
  if (Object.hasOwn(activations, name)) {
    throw new OptionError({
      where,
      what: `"${name}" is the name of an activation of wgrad's own`,
      fix: "Choose another name",
    });
  }
  return given;
}

/** Those that are near 0 for negative and near x for positive arguments, which He's variance was derived for. */
export const rectifiers: ReadonlySet<string> = new Set<ActivationName>([
  "relu",
  "leakyRelu",
  "elu",
  "softplus",
  "gelu",
  "geluTanh",
  "silu",
]);
