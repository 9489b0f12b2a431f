/*
 * Names of the library's functions, for the page's settings. The page itself, which runs no network, does not load the
 * functions for them. A test compares the lists with the library.
 */
import type { ActivationName, DeviceChoice, LossName } from "../../index.ts";

export const activationNames = [
  "identity",
  "step",
  "sigmoid",
  "tanh",
  "relu",
  "leakyRelu",
  "elu",
  "softplus",
  "gelu",
  "geluTanh",
  "silu",
] as const satisfies readonly ActivationName[];

export const lossNames = [
  "meanSquaredError",
  "halfSumOfSquares",
  "softmaxCrossEntropy",
  "sigmoidBinaryCrossEntropy",
] as const satisfies readonly LossName[];

export const deviceNames = ["webgpu", "wasm", "cpu", "auto"] as const satisfies readonly DeviceChoice[];
