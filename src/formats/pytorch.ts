/*
 * Reads and writes networks for PyTorch: a safetensors file with the state of an nn.Sequential, in which the weight of
 * a Linear layer is [outputs, inputs] and every module, including activations, has a number.
 */
import { requireNormalization } from "../data/normalization.ts";
import { DataError, excerpt, OptionError, optionName } from "../errors.ts";
import { sizeOf } from "../graph/tensor.ts";
import type { ActivationName } from "../nn/activations.ts";
import { entryOf } from "../nn/checks.ts";
import { isFunctionalConfig } from "../nn/functional-config.ts";
import { isFunctional } from "../nn/is-functional.ts";
import { dense } from "../nn/layers/dense/index.ts";
import { flatten } from "../nn/layers/flatten/index.ts";
import { permuted } from "../nn/layers/permute.ts";
import { losses, probabilitiesOf, type LossName } from "../nn/losses.ts";
import { modelFromConfig } from "../nn/model-config.ts";
import { storedLeaves, type Model } from "../nn/sequential.ts";
import { byNumbers } from "./by-numbers.ts";
import { outputScale } from "./exported-table.ts";
import type { TrainedFunctionalModel } from "./functional.ts";
import {
  hasFunction,
  initialValues,
  isModelFile,
  modelMetadata,
  requireOutputNames,
  requireValues,
  restoreTrained,
  type ParameterValues,
  type TrainedModel,
} from "./model.ts";
import { withDefaults, type AnyModelToSave } from "./model-to-save.ts";
import { functionClass, functionParameters } from "./pytorch-function.ts";
import { filledFrom, readPytorch } from "./pytorch-layers.ts";
import { firstModuleShape, networkModule } from "./pytorch-network.ts";
import { chainParameters, configIn, PRODUCER, withOwnNames } from "./pytorch-own.ts";
import { writeSafetensors, type NamedTensor, type Safetensors, type TensorValues } from "./safetensors.ts";

/**
 * Writes a model as a safetensors file for PyTorch: for nn.Sequential, or for a class with a `forward` if the model is a
 * functional one. `pytorchCode` returns the code that loads it. The metadata also contain wgrad's description of the model, so
 * that `loadPytorch`, or `startFromPytorch` for a functional model, returns the same values, bit by bit.
 * @param parameters values of each of the model's parameters; by default the model's initial values
 * @throws OptionError for values that do not match the model's parameters, and for a custom layer
 */
export function savePytorch(
  given: AnyModelToSave,
  parameters: ParameterValues = initialValues(given.model),
): Uint8Array {
  const trained = withDefaults(given);
  requireValues(storedLeaves(trained.model), parameters);
  const places = hasFunction(trained) ? functionParameters(trained.model) : chainParameters(trained.model);
  const tensors = Array.from(places, ([own, { name, toPytorch }]): NamedTensor => {
    return { name, ...toPytorch(parameters[own]!) };
  });
  return writeSafetensors(tensors, { ...modelMetadata(trained), format: "pt", producer: PRODUCER });
}

/** Converts logits to probabilities, at the end of an expression. */
const probabilityCode = { softmax: ".softmax(-1)", sigmoid: ".sigmoid()" };

/**
 * The Python code that loads a file of `savePytorch`, for PyTorch with the package safetensors. It defines `predict`, which takes
 * features as they came in the data. For a functional model, it takes the inputs in order, and returns the outputs by name.
 * @param path the path of the file
 * @throws OptionError for a custom layer, and for an op in a function that has no form in PyTorch; GraphError for a function that
 * moves elements between examples
 */
export function pytorchCode(given: AnyModelToSave, path: string): string {
  const trained = withDefaults(given);
  const lines = hasFunction(trained) ? functionCode(trained, path) : chainCode(trained, path);
  return ["import json, torch", "from torch import nn", "from safetensors import safe_open", ...lines].join("\n");
}

const readLines = (path: string): string[] => [
  `with safe_open(${JSON.stringify(path)}, "pt") as file:`,
  "    state = {name: file.get_tensor(name) for name in file.keys()}",
];

function chainCode(trained: TrainedModel, path: string): string[] {
  const { model, loss } = trained;
  const { code, definitions = [] } = networkModule(model.config.layers, model.shapes);
  // The normalization may have a number for each feature, so that it needs them in one row.
  const read = firstModuleShape(model.config.layers, model.shapes);
  const shape = read.length > 1 ? `.unflatten(1, (${read.join(", ")}))` : "";
  const features = "x.float().flatten(1) * scale + offset";
  const probabilities = probabilitiesOf(loss);
  const scale = outputScale(trained);
  const last = probabilities ? probabilityCode[probabilities] : scale ? " * deviation + mean" : "";
  return [
    ...new Set(definitions),
    ...readLines(path),
    '    normalization = json.loads(file.metadata()["normalization"])',
    `network = nn.ModuleDict({"layers": ${code}}).eval()`,
    "network.load_state_dict(state)",
    'scale, offset = (torch.tensor(normalization[name]) for name in ("scale", "offset"))',
    ...(scale ? Object.entries(scale).map(([name, values]) => `${name} = torch.tensor([${values.join(", ")}])`) : []),
    `predict = lambda x: network["layers"](${shape === "" ? features : `(${features})${shape}`})${last}`,
  ];
}

/** Normalizes an input, with one number or one for each feature. */
const NORMALIZED = `def normalized(name, x):
    scale, offset = (torch.tensor(normalization[name][part], device=x.device) for part in ("scale", "offset"))
    return (x.float().reshape(len(x), -1) * scale + offset).reshape(x.shape)`;

function functionCode(trained: TrainedFunctionalModel, path: string): string[] {
  const { definitions, lines, variables } = functionClass(trained);
  const { normalization = {} } = trained;
  const isNormalized = Object.keys(normalization).length > 0;
  const given = Object.entries(variables).map(([name, variable]) =>
    Object.hasOwn(normalization, name) ? `normalized(${JSON.stringify(name)}, ${variable})` : variable,
  );
  return [
    ...new Set(definitions),
    ...lines,
    ...readLines(path),
    ...(isNormalized ? ['    normalization = json.loads(file.metadata()["normalization"])', NORMALIZED] : []),
    "network = Network().eval()",
    "network.load_state_dict(state)",
    `predict = lambda ${Object.values(variables).join(", ")}: network(${given.join(", ")})`,
  ];
}

/** What a PyTorch file does not contain. */
export interface ImportOptions {
  /**
   * The network, whose parameters get the values of the file; needed for layers other than Linear. See
   * `startFromPytorch`, which also reports what was matched. By default, Linear layers with activations between them.
   */
  readonly model?: Model;
  /** The activation between the Linear layers; "relu" by default. Not with `model`. */
  readonly activation?: ActivationName;
  /**
   * The names of the modules with parameters in order, such as ["fc1", "fc2"]; by default they are sorted by their numbers,
   * and matched with a `model` by their shapes.
   */
  readonly layers?: readonly string[];
  /** The shape of one example; by default one axis with the inputs of the first layer. Not with `model`. */
  readonly inputShape?: readonly number[];
  /** The normalization of the features; unchanged by default. */
  readonly normalization?: TrainedModel["normalization"];
  /** The names of the classes; "0", "1", … by default, unless the network has one output. */
  readonly classes?: readonly string[];
  /** The names of the outputs, for regression; "output" by default for a network with one output. */
  readonly outputs?: readonly string[];
  /** "softmaxCrossEntropy" for classification and "meanSquaredError" for regression by default. */
  readonly loss?: LossName;
}

/**
 * Reads a network of Linear layers, or of the layers of a given model, from a PyTorch safetensors file, or a file of
 * `savePytorch`, which contains its own description. Values in float16, bfloat16 and float64 are converted to float32.
 * @param bytes the whole file
 * @param where the file's name, for messages
 * @throws DataError for anything that `readSafetensors` refuses, for a tensor that does not belong to a layer,
 * or for layers whose sizes do not match (the error names the tensor and the shapes); OptionError for an option that
 * does not fit, or any option if the file contains its own description
 */
export function loadPytorch(bytes: Uint8Array, where: string, options: ImportOptions = {}): TrainedModel {
  const file = readPytorch(bytes, where);
  const { producer } = file.metadata;
  if (isModelFile(file)) {
    throw new DataError({ where, what: "this is already a model of wgrad", fix: "Use it directly" });
  }
  if (producer === PRODUCER) return fromOwnFile(file, where, options);
  requireLists(options);
  const model = options.model
    ? fromGivenLayers(file, where, options.model, options)
    : fromLinearLayers(file, where, options);
  return describedBy(options, model, where);
}

/** Adds to a model what a PyTorch file does not contain. */
function describedBy(options: ImportOptions, model: Model, where: string): TrainedModel {
  const { normalization = { scale: 1, offset: 0 } } = options;
  const outputNames = outputNamesOf(options, model.outputShape[0]!);
  const loss = options.loss ?? (outputNames.outputs ? "meanSquaredError" : "softmaxCrossEntropy");
  entryOf("loss", "loss", losses, loss);
  requireOutputNames(model, loss, outputNames, where);
  requireNormalization(normalization, sizeOf(model.inputShape));
  return { model, loss, normalization, ...outputNames, step: 0, training: { importedFrom: where } };
}

/** @throws DataError for tensors that no layer of the model uses */
function fromGivenLayers(file: Safetensors, where: string, given: Model, options: ImportOptions): Model {
  const { layers } = options;
  if (isFunctional(given)) {
    const what = "the meaning of a functional model's outputs is not known";
    throw new OptionError({ where: optionName("model"), what, fix: "Use startFromPytorch" });
  }
  for (const name of ["activation", "inputShape"] as const) {
    if (options[name] === undefined) continue;
    const what = `${optionName("model")} already has it`;
    throw new OptionError({ where: optionName(name), what, fix: "Remove this option" });
  }
  const { model, unused } = filledFrom(given, file, where, layers ? { layers } : {});
  if (unused.length === 0) return model;
  const [name] = unused;
  const what = `no layer of the model uses it; its shape is ${shapeText(file.tensors.get(name!)!.shape)}`;
  const fix = "Give a model with all layers of the PyTorch network";
  throw new DataError({ where: `${where}, tensor ${excerpt(name)}`, what, fix });
}

function fromOwnFile(file: Safetensors, where: string, options: ImportOptions): TrainedModel {
  const [given] = Object.entries(options).find(([, value]) => value !== undefined) ?? [];
  if (given !== undefined) {
    const what = `${where} was written by wgrad and contains its own description`;
    throw new OptionError({ where: optionName(given), what, fix: "Remove this option" });
  }
  const { metadata } = file;
  const config = configIn(metadata);
  if (isFunctionalConfig(config)) {
    const what = "this is a functional model, whose function is not part of the file";
    throw new DataError({ where, what, fix: "Make the model in a program, and give it to startFromPytorch" });
  }
  return restoreTrained({ tensors: withOwnNames(file, config), metadata }, where);
}

/** "layers.0" of "layers.0.weight". */
const prefixOf = (name: string) => name.slice(0, Math.max(0, name.lastIndexOf(".")));

interface Linear {
  readonly name: string;
  readonly weight: TensorValues;
  readonly bias: TensorValues | undefined;
}

const NO_LINEAR = "Import a network of Linear layers with activations between them, or give the network as a model";

const shapeText = (shape: readonly number[]) => `[${shape.join(", ")}]`;

function fromLinearLayers({ tensors }: Safetensors, where: string, options: ImportOptions): Model {
  const linears = linearLayers(tensors, where, options.layers);
  requireChain(linears, where);
  const { activation = "relu" } = options;
  const inputs = linears[0]!.weight.shape[1]!;
  const { inputShape = [inputs] } = options;
  const flattens = inputShape.length > 1 ? [flatten()] : [];
  const layers = linears.map(({ weight, bias }, index) =>
    dense(weight.shape[0]!, {
      activation: index < linears.length - 1 ? activation : "identity",
      bias: bias !== undefined,
    }),
  );
  if (sizeOf(inputShape) !== inputs) {
    const what = `${shapeText(inputShape)} has ${sizeOf(inputShape)} features, but the first layer takes ${inputs}`;
    throw new OptionError({ where: optionName("inputShape"), what, fix: `Give a shape of ${inputs} features` });
  }
  const values = linears.flatMap(({ weight, bias }, index) => {
    const name = `layers.${index + flattens.length}`;
    return [
      [`${name}.weight`, permuted(weight, [1, 0]).values] as const,
      ...(bias ? [[`${name}.bias`, bias.values] as const] : []),
    ];
  });
  const configs = [...flattens, ...layers].map(({ config }) => config);
  return modelFromConfig({ inputShape, seed: 1, layers: configs }, Object.fromEntries(values));
}

/** @throws OptionError if an option is not a list of names or sizes */
function requireLists({ layers, classes, outputs, inputShape }: ImportOptions): void {
  for (const [where, list] of Object.entries({ layers, classes, outputs, inputShape })) {
    const type = where === "inputShape" ? "number" : "string";
    if (list === undefined || (Array.isArray(list) && list.length > 0 && list.every((item) => typeof item === type)))
      continue;
    const fix = type === "number" ? "Give a list of sizes such as [28, 28]" : 'Give a list of names such as ["a", "b"]';
    throw new OptionError({ where: optionName(where), what: `${excerpt(list)} is not such a list`, fix });
  }
}

function outputNamesOf({ classes, outputs }: ImportOptions, count: number): Pick<TrainedModel, "classes" | "outputs"> {
  if (classes && outputs) {
    throw new OptionError({
      where: optionName("classes"),
      what: "classes and outputs exclude each other",
      fix: "Give one of them",
    });
  }
  if (outputs ?? (count === 1 && !classes)) return { classes: [], outputs: outputs ?? ["output"] };
  return { classes: classes ?? Array.from({ length: count }, (_, index) => String(index)) };
}

function linearLayers(tensors: Safetensors["tensors"], file: string, order: readonly string[] | undefined): Linear[] {
  const found = new Map<string, { weight?: TensorValues; bias?: TensorValues }>();
  for (const [name, tensor] of tensors) {
    const prefix = prefixOf(name);
    const part = prefix === "" ? name : name.slice(prefix.length + 1);
    const { length: axes } = tensor.shape;
    if (!((part === "weight" && axes === 2) || (part === "bias" && axes === 1)) || tensor.values.length === 0) {
      const what = `${shapeText(tensor.shape)} is not the shape of a Linear layer's weight [outputs, inputs] or bias [outputs]`;
      throw new DataError({ where: `${file}, tensor ${excerpt(name)}`, what, fix: NO_LINEAR });
    }
    found.set(prefix, { ...found.get(prefix), [part]: tensor });
  }
  if (found.size === 0) throw new DataError({ where: file, what: "there are no tensors", fix: NO_LINEAR });
  const names = [...found.keys()].toSorted(byNumbers);
  return orderedNames(names, order).map((name) => {
    const { weight, bias } = found.get(name)!;
    const where = `${file}, layer ${excerpt(name)}`;
    if (!weight) throw new DataError({ where, what: "the layer has a bias but no weight", fix: NO_LINEAR });
    if (bias && bias.shape[0] !== weight.shape[0]) {
      const what = `its bias is ${shapeText(bias.shape)}, but its weight ${shapeText(weight.shape)} has ${weight.shape[0]} outputs`;
      throw new DataError({ where, what, fix: NO_LINEAR });
    }
    return { name, weight, bias };
  });
}

/** @throws OptionError if the order does not contain each layer once */
function orderedNames(names: readonly string[], order: readonly string[] | undefined): readonly string[] {
  if (!order || (order.length === names.length && names.every((name) => order.includes(name)))) return order ?? names;
  const what = `${excerpt(order)} does not list each layer of the file once`;
  throw new OptionError({
    where: optionName("layers"),
    what,
    fix: `Give ${optionName("layers", names)} in the order of execution`,
  });
}

function requireChain(linears: readonly Linear[], file: string): void {
  linears.slice(1).forEach(({ name, weight }, index) => {
    const before = linears[index]!;
    if (weight.shape[1] === before.weight.shape[0]) return;
    throw new DataError({
      where: `${file}, layer ${excerpt(name)}`,
      what:
        `its weight ${shapeText(weight.shape)} has ${weight.shape[1]} inputs, but the layer ${excerpt(before.name)} before it, ` +
        `${shapeText(before.weight.shape)}, has ${before.weight.shape[0]} outputs`,
      fix: "List the layers in the order of execution, or import a network that is a chain of Linear layers",
    });
  });
}
