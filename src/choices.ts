/*
 * The end of a message about an unknown name of a device, a loss or another choice.
 */
import { nearest, type Synonyms } from "./nearest.ts";

const synonyms: Synonyms = {
  gpu: "webgpu",
  cuda: "webgpu",
  metal: "webgpu",
  mps: "webgpu",
  vulkan: "webgpu",
  webassembly: "wasm",
  mse: "meanSquaredError",
  mseloss: "meanSquaredError",
  l2: "meanSquaredError",
  crossentropy: "softmaxCrossEntropy",
  crossentropyloss: "softmaxCrossEntropy",
  categoricalcrossentropy: "softmaxCrossEntropy",
  sparsecategoricalcrossentropy: "softmaxCrossEntropy",
  bce: "sigmoidBinaryCrossEntropy",
  bcewithlogitsloss: "sigmoidBinaryCrossEntropy",
  binarycrossentropy: "sigmoidBinaryCrossEntropy",
  linear: "identity",
  swish: "silu",
};

/** The name that an unknown one most likely means, if any, and all names. */
export function choiceOf(text: unknown, names: readonly string[]): string {
  const near = typeof text === "string" ? nearest(text, names, synonyms) : undefined;
  return `${near === undefined ? "" : `Did you mean ${near}? `}Choose one of ${names.join(", ")}`;
}
