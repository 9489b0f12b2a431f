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

export type ActivationName = keyof typeof activations;

/** Those that are near 0 for negative and near x for positive arguments, which He's variance was derived for. */
export const rectifiers: ReadonlySet<ActivationName> = new Set<ActivationName>([
  "relu",
  "leakyRelu",
  "elu",
  "softplus",
  "gelu",
  "geluTanh",
  "silu",
]);
