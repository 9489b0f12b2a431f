/*
 * What a file says about a functional model without its function.
 */
import { sizeOf } from "../graph/tensor.ts";
import { isRecord } from "../nn/checks.ts";
import { isFunctionalConfig } from "../nn/functional-config.ts";
import type { FunctionalConfig } from "../nn/functional.ts";
import { parameterPrefix } from "../nn/sequential.ts";
import { isFacts, isStep, Metadata, type Facts } from "./metadata.ts";
import { isModelFile, requireDigest } from "./model.ts";
import { readSafetensors } from "./safetensors.ts";

/** A layer of a functional model, as a file describes it. */
export interface StoredLayer {
  /** The path of its parameters, such as `layers.tower`. */
  readonly name: string;
  /** The type in its config, such as "dense". */
  readonly type: string;
  /** The number of elements of its parameters and states. */
  readonly values: number;
}

export interface FunctionalFile {
  readonly inputs: FunctionalConfig["inputs"];
  /** In the order of their first uses. */
  readonly layers: readonly StoredLayer[];
  readonly step: number;
  readonly training: Facts;
}

/**
 * Describes a file of a functional model. Shapes and FLOPs are not known without the function; see `summary`.
 * @returns undefined for any other file
 * @throws DataError for a file that is not safetensors, is damaged, or lacks an entry
 */
export function describeFunctionalFile(bytes: Uint8Array, where: string): FunctionalFile | undefined {
  const file = readSafetensors(bytes, where);
  const entries = new Metadata(file.metadata, where);
  if (!isModelFile(file) || !entries.has("model")) return undefined;
  const config = entries.json("model", isRecord);
  if (!isFunctionalConfig(config)) return undefined;
  requireDigest(file, where);
  const { inputs, layers, name } = entries.json("model", isComplete);
  const prefix = `${parameterPrefix(name === undefined ? {} : { name })}layers.`;
  const stored = Object.entries(layers).map(([layer, { type }]) => {
    const path = `${prefix}${layer}`;
    const own = Array.from(file.tensors).filter(([tensor]) => tensor.startsWith(`${path}.`));
    return { name: path, type, values: own.reduce((total, [, { shape }]) => total + sizeOf(shape), 0) };
  });
  return { inputs, layers: stored, step: entries.json("step", isStep), training: entries.json("training", isFacts) };
}

const isComplete = (config: unknown): config is FunctionalConfig =>
  isFunctionalConfig(config) &&
  isRecord(config.inputs) &&
  Object.values(config.inputs).every((input) => isRecord(input) && Array.isArray(input["shape"])) &&
  isRecord(config.layers) &&
  Object.values(config.layers).every((layer) => isRecord(layer) && typeof layer["type"] === "string");
