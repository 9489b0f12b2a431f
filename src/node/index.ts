/**
 * The parts of the library for Node: WebGPU through Dawn, files and MNIST.
 *
 * @module wgrad/node
 */
import type { Backend } from "../backends/backend.ts";
import { createBackend, type BackendOptions } from "../backends/choose.ts";
import type { GpuSource } from "../device/adapter.ts";
import { DeviceError } from "../errors.ts";
import {
  loadModel,
  saveModel,
  type AnyExtensions,
  type AnyModelToSave,
  type AnyTrainedModel,
  type FileExtensions,
  type TrainedFunctionalModel,
  type TrainedModel,
} from "../formats/model.ts";
import type { TensorValues } from "../formats/safetensors.ts";
import type { FunctionalExtensions } from "../nn/model-config.ts";
import type { DawnOptions } from "./dawn.ts";
import { debugOptions } from "./debug.ts";
import { fileTuningStore } from "./tuning-store.ts";
import { nodeWasm } from "./wasm.ts";
import { plainReason, readFileOrRefuse, writeFileAtomically } from "./files.ts";

export {
  loadModel,
  saveModel,
  type AnyExtensions,
  type AnyModelToSave,
  type AnyTrainedModel,
  type Facts,
  type FileExtensions,
  type FunctionalModelToSave,
  type ModelToSave,
  type TrainedFunctionalModel,
  type TrainedModel,
} from "../formats/model.ts";
export {
  readSafetensors,
  writeSafetensors,
  type NamedTensor,
  type Safetensors,
  type TensorValues,
} from "../formats/safetensors.ts";
export { deviceChoices, type DeviceChoice } from "../backends/choose.ts";
export type { GpuSource } from "../device/adapter.ts";
export type { DawnOptions } from "./dawn.ts";
export { readFileOrRefuse, writeFileAtomically } from "./files.ts";
export { fileTuningStore } from "./tuning-store.ts";
export { nodeWasm } from "./wasm.ts";
export { readCsvDataset, readCsvTable, type CsvDatasetOptions, type CsvTableOptions } from "./csv-table.ts";
export { readDocuments, readText, type ReadDocumentsOptions } from "./text.ts";
export { decodeImage, type DecodeImageOptions } from "./image.ts";
export { readImageFolder, type ImageFolderOptions } from "./image-folder.ts";
export type { DecodedImage, ImageColor, ImageInput, ImageSize } from "../data/image-pixels.ts";
export { mnistFileNames, type MnistFile } from "../data/mnist-files.ts";
export { loadMnist, mnistChecksums, mnistMirrors, type MnistSource, type MnistSourceOptions } from "./mnist-source.ts";

/**
 * Provides WebGPU in Node through Dawn. The native module is loaded by the first call.
 * @throws DeviceError if the package `webgpu` is not installed, or with the system's reason if its native module does not
 * load
 */
export async function dawnGpu(options?: DawnOptions): Promise<GpuSource> {
  let dawn;
  try {
    dawn = await import("./dawn.ts");
  } catch (cause) {
    throw new DeviceError({ where: "WebGPU", ...dawnFailure(cause) }, { cause });
  }
  return dawn.dawnGpu(options);
}

function dawnFailure(cause: unknown): { what: string; fix: string } {
  if ((cause as { code?: unknown } | null)?.code === "ERR_MODULE_NOT_FOUND") {
    return {
      what: "the optional package webgpu, which runs WebGPU in Node, is not installed",
      fix: "Run `npm install --include=optional`, or choose the device cpu",
    };
  }
  return {
    what: `the native module of the package webgpu does not load: ${plainReason(cause).split("\n")[0]}`,
    fix: "Install the packages again on this machine (`npm ci`); on Linux the module needs glibc 2.34 or newer",
  };
}

/** Options of `createNodeBackend`. */
export interface NodeBackendOptions extends DawnOptions, Omit<BackendOptions, "source" | "wasmSource"> {}

/**
 * Creates a backend for Node: WebGPU through Dawn with the tilings that `wgrad tune` saved for the adapter, WebAssembly with
 * one thread per core, or the CPU reference. With WebGPU, Node exits only after `dispose` is called. With `wgrad:graph` or
 * `wgrad:wgsl` in the environment variable DEBUG, the backend prints what it compiles to standard error.
 * @throws DeviceError if the device is "webgpu" and there is no adapter or no Dawn, or "wasm" and there is no SIMD or not
 * enough memory
 * @throws OptionError for an unknown device, or for a number of threads below 1
 */
export function createNodeBackend({ flags = [], ...options }: NodeBackendOptions = {}): Promise<Backend> {
  return createBackend({
    log: (line) => console.error(line),
    tuning: fileTuningStore(),
    ...debugOptions(),
    ...options,
    source: () => dawnGpu({ flags }),
    wasmSource: nodeWasm,
  });
}

/**
 * Saves a model to a file, atomically.
 * @param trained as for `saveModel`
 * @param parameters values for each of the model's parameters, such as those of a snapshot
 * @throws DataError with the path and the reason if the file cannot be written
 */
export function saveModelFile(
  path: string,
  trained: AnyModelToSave,
  parameters: Readonly<Record<string, TensorValues>>,
): Promise<void> {
  return writeFileAtomically(path, saveModel(trained, parameters));
}

/**
 * Loads a model from a file.
 * @param extensions definitions of the custom layers, activations and losses that the model uses; for a functional model,
 * its function, as in `loadModel`
 * @throws DataError with the path for a file that cannot be read or is not a model of wgrad
 */
export function loadModelFile(path: string, extensions?: FileExtensions): Promise<TrainedModel>;
export function loadModelFile<Input extends string, Output extends string>(
  path: string,
  extensions: FunctionalExtensions<Input, Output>,
): Promise<TrainedFunctionalModel<Input, Output>>;
export async function loadModelFile(path: string, extensions?: AnyExtensions): Promise<AnyTrainedModel> {
  return loadModel(await readFileOrRefuse(path), path, extensions);
}
