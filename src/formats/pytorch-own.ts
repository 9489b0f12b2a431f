/*
 * Files of `savePytorch`, which describe their model in the metadata.
 */
import { WgradError } from "../errors.ts";
import type { PytorchParameter } from "../nn/layers/forms.ts";
import { shapesOfConfig } from "../nn/model-config.ts";
import { parameterPrefix, type Model, type ModelConfig } from "../nn/sequential.ts";
import { parseJson } from "./json.ts";
import { networkModule } from "./pytorch-network.ts";
import type { Safetensors, TensorValues } from "./safetensors.ts";

/** Marks these files in the metadata. */
export const PRODUCER = "wgrad";

/** The parameters in PyTorch by their names in the model. */
export type PytorchPlaces = ReadonlyMap<string, PytorchParameter>;

/** Where the parameters and states of a sequential model are in its nn.Sequential. */
export function chainParameters({ config, shapes }: Pick<Model, "config" | "shapes">): PytorchPlaces {
  const { parameters = {} } = networkModule(config.layers, shapes);
  const path = `${parameterPrefix(config)}layers`;
  return new Map(
    Object.entries(parameters).map(([own, place]) => [`${path}.${own}`, { ...place, name: `layers.${place.name}` }]),
  );
}

/** The config of the model in the metadata; undefined for a damaged file. */
export function configIn(metadata: Safetensors["metadata"]): unknown {
  const parsed = parseJson(metadata["model"] ?? "");
  return "value" in parsed ? parsed.value : undefined;
}

/**
 * The tensors of a file with the names and layouts of the sequential model with a config. For an invalid config, which the reader
 * of the model refuses, they stay as they are.
 */
export function withOwnNames({ tensors }: Safetensors, config: unknown): Safetensors["tensors"] {
  try {
    const described = config as ModelConfig;
    return inOwnLayout(tensors, chainParameters({ config: described, shapes: shapesOfConfig(described) }));
  } catch (error) {
    if (error instanceof WgradError) return tensors;
    throw error;
  }
}

/** Renames the tensors that have a place, and converts their layout. */
export function inOwnLayout(tensors: Safetensors["tensors"], places: PytorchPlaces): Safetensors["tensors"] {
  const byName = new Map(Array.from(places, ([own, place]) => [place.name, { own, place }]));
  const renamed = Array.from(tensors, ([name, tensor]): [string, TensorValues] => {
    const found = byName.get(name);
    return found ? [found.own, found.place.fromPytorch(tensor)] : [name, tensor];
  });
  return new Map(renamed);
}
