/*
 * Files of networks. The worker loads this code, and that of all layers with it, when it first needs a file.
 */
import { loadModel, saveModel } from "../../../index.ts";
import type { LoadedNetwork } from "./run.ts";

export { loadModel, saveModel };

/** Loads the network of a saved file again. */
export function networkOf({ name, bytes }: LoadedNetwork["file"]): Pick<LoadedNetwork, "model" | "normalization"> {
  const { model, normalization } = loadModel(bytes, name);
  return { model, normalization };
}
