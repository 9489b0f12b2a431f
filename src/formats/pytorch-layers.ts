/*
 * Fills a model with the values of a PyTorch network. A state_dict has no strides, activations or pooling, so the model
 * must be given; the layers' own forms tell how each parameter is stored in PyTorch.
 */
import { DataError, excerpt, OptionError, optionName } from "../errors.ts";
import { nameOf } from "../graph/leaves.ts";
import { sameShape, type Shape, type Tensor } from "../graph/tensor.ts";
import type { AnyModel } from "../nn/functional.ts";
import { isFunctional } from "../nn/is-functional.ts";
import { isRecord } from "../nn/checks.ts";
import type { PytorchParameter } from "../nn/layers/forms.ts";
import type { LayerConfig } from "../nn/layers/layer.ts";
import { layerTypes } from "../nn/layers/registry.ts";
import { parameterPrefix, storedLeaves, type Model } from "../nn/sequential.ts";
import { startFrom } from "../nn/start-from.ts";
import { usesOf, type ConfiguredUse } from "../nn/uses.ts";
import { byNumbers } from "./by-numbers.ts";
import { FeatureOrders } from "./feature-order.ts";
import { functionParameters } from "./pytorch-function.ts";
import { networkModule } from "./pytorch-network.ts";
import { chainParameters, inOwnLayout, PRODUCER } from "./pytorch-own.ts";
import { readSafetensors, type Safetensors, type TensorValues } from "./safetensors.ts";

/** The options of `startFromPytorch`. */
export interface PytorchStartOptions {
  /**
   * The names of the file's modules in the order of the model's layers with parameters, such as ["conv1", "bn1", "fc"]. Those of a
   * stacked GRU or LSTM are "rnn.l0", "rnn.l1" and so on. By default, the layers of a functional model get the modules that
   * they are named after, with "_" for each dot, as in `use(layer, x, "block1_conv")`. Unless all are, each layer gets the first module,
   * by the numbers in their names, whose tensors have its shapes.
   */
  readonly layers?: readonly string[];
}

/** The result of `startFromPytorch`. */
export interface PytorchStart<Kind extends AnyModel = Model> {
  /** The model with the values of the file as initial values. */
  readonly model: Kind;
  /** For each parameter and state: its name, and the name and shape of its tensor in the file. */
  readonly matched: readonly { readonly name: string; readonly tensor: string; readonly shape: Shape }[];
  /** The names of tensors that no layer uses. */
  readonly unused: readonly string[];
}

/** Counts batches, which has no effect with a fixed momentum. It is an integer. */
const COUNTER = /(^|\.)num_batches_tracked$/;

/** As `readSafetensors`, for a file of PyTorch. */
export const readPytorch = (bytes: Uint8Array, where: string): Safetensors =>
  readSafetensors(bytes, where, { convert: true, omits: (name) => COUNTER.test(name) });

/**
 * Initializes a model with the values of a PyTorch network: a safetensors file of its state_dict. Convolutions, transposed
 * convolutions, Linear, Embedding, the norms, MultiheadAttention, GRU and LSTM are matched with the model's layers, and their
 * axes are permuted from PyTorch's layout. PyTorch flattens images with the channels first, so the features of the layers after `flatten`, and
 * those before a `reshape` to images, are permuted as well. A file of `savePytorch` has wgrad's own names and order, also for a
 * functional model.
 *
 * @example
 * ```ts
 * const network = [layers.conv2d(16, 3, { activation: "relu" }), layers.maxPool2d(2), flatten(), dense(10)];
 * const { model, matched } = startFromPytorch(sequential(network, { inputShape: [28, 28] }), bytes, "net.safetensors");
 * ```
 *
 * @param bytes the whole file
 * @param where the file's name, for messages
 * @throws DataError for anything that `readSafetensors` refuses, and for a layer whose shapes no module has, or several
 * modules whose names have no order (the error names the layer, the tensors and their shapes); OptionError for a custom
 * layer with parameters, and for `layers` that do not fit
 */
export function startFromPytorch<Kind extends AnyModel>(
  model: Kind,
  bytes: Uint8Array,
  where: string,
  options: PytorchStartOptions = {},
): PytorchStart<Kind> {
  const file = readPytorch(bytes, where);
  return file.metadata["producer"] === PRODUCER
    ? startFromOwn(model, file, where, options)
    : filledFrom(model, file, where, options);
}

/**
 * As `startFromPytorch`, for a file of `savePytorch`. Its features are in wgrad's order, and its names are known.
 * @throws DataError for a model that is not the one of the file; OptionError for `layers`
 */
function startFromOwn<Kind extends AnyModel>(
  model: Kind,
  file: Safetensors,
  where: string,
  { layers }: PytorchStartOptions,
): PytorchStart<Kind> {
  if (layers !== undefined) {
    const what = `${where} was written by wgrad and names the layers itself`;
    throw new OptionError({ where: optionName("layers"), what, fix: "Remove this option" });
  }
  const places = isFunctional(model) ? functionParameters(model) : chainParameters(model);
  const values = Object.fromEntries(inOwnLayout(file.tensors, places));
  const different = storedLeaves(model).find((leaf) => {
    const found = Object.hasOwn(values, nameOf(leaf)) ? values[nameOf(leaf)] : undefined;
    return places.has(nameOf(leaf)) && !(found && sameShape(found.shape, leaf.shape));
  });
  if (different) {
    const what = `there is no tensor for ${nameOf(different)}, ${shapeText(different.shape)}`;
    throw new DataError({ where, what, fix: "Give the model that was written to the file" });
  }
  const matched = Array.from(places, ([name, { name: tensor }]) => {
    return { name, tensor, shape: file.tensors.get(tensor)!.shape };
  });
  const used = new Set(matched.map(({ tensor }) => tensor));
  return {
    model: matched.length === 0 ? model : startFrom(model, values).model,
    matched,
    unused: [...file.tensors.keys()].filter((name) => !used.has(name)),
  };
}

/** As `startFromPytorch`, for a file that was already read. */
export function filledFrom<Kind extends AnyModel>(
  model: Kind,
  { tensors }: Safetensors,
  where: string,
  { layers }: PytorchStartOptions,
): PytorchStart<Kind> {
  const modules = modulesOf(tensors);
  const wanted = layersOf(model);
  const assigned = layers
    ? inGivenOrder(wanted, modules, layers, where)
    : (byNames(model, wanted, modules) ?? byShapes(model, wanted, modules, where));
  const matched: { name: string; tensor: string; shape: Shape }[] = [];
  const values: Record<string, TensorValues> = {};
  for (const [{ tensors: parts }, module] of assigned) {
    for (const { leaf, name, fromPytorch } of parts) {
      const tensor = module.tensors.get(name)!;
      values[nameOf(leaf)] = fromPytorch(tensor);
      matched.push({ name: nameOf(leaf), tensor: tensor.name, shape: tensor.shape });
    }
  }
  const used = new Set(matched.map(({ tensor }) => tensor));
  const unused = [...tensors.keys()].filter((name) => !used.has(name));
  return { model: matched.length === 0 ? model : startFrom(model, values).model, matched, unused };
}

/**
 * A module of the file: the tensors with a common prefix. Each layer of a stacked GRU or LSTM is a module, such as "rnn.l0", whose
 * tensors have the names of the first layer.
 */
interface FileModule {
  readonly name: string;
  readonly tensors: ReadonlyMap<string, FileTensor>;
}

/** A tensor, with its name in the file. */
interface FileTensor extends TensorValues {
  readonly name: string;
}

const joined = (module: string, tensor: string): string => (module === "" ? tensor : `${module}.${tensor}`);

function modulesOf(tensors: Safetensors["tensors"]): readonly FileModule[] {
  const found = new Map<string, Map<string, FileTensor>>();
  const isStacked = (module: string) => tensors.has(joined(module, "weight_ih_l1"));
  for (const [name, tensor] of tensors) {
    const [prefix, last] = splitName(name);
    const [, ofLayer, number, direction] = (isStacked(prefix) && STACKED.exec(last)) || [];
    const [module, own] =
      number === undefined ? [prefix, last] : [joined(prefix, `l${number}`), `${ofLayer}0${direction}`];
    found.set(module, (found.get(module) ?? new Map<string, FileTensor>()).set(own, { ...tensor, name }));
  }
  return [...found].map(([name, own]) => ({ name, tensors: own })).toSorted((a, b) => byNumbers(a.name, b.name));
}

/** The name of a tensor of a GRU or LSTM: the number of its layer, and its direction. */
const STACKED = /^((?:weight|bias)_[ih]h_l)(\d+)(|_reverse)$/;

/** A parameter or state of the model, and the tensor that holds it in PyTorch. */
interface WantedTensor {
  readonly leaf: Tensor;
  /** The name in its module, such as "running_mean". */
  readonly name: string;
  /** The shape in PyTorch. */
  readonly shape: Shape;
  fromPytorch(tensor: TensorValues): TensorValues;
}

/** A layer with parameters. */
interface WantedLayer {
  /** The prefix of its parameters, such as "layers.3". */
  readonly name: string;
  readonly tensors: readonly WantedTensor[];
}

/** The part of a name before the last dot, and after it. */
function splitName(name: string): readonly [prefix: string, last: string] {
  const dot = name.lastIndexOf(".");
  return [name.slice(0, Math.max(0, dot)), name.slice(dot + 1)];
}

/** The layers with parameters in the order of their first uses. Each layer inside another one counts by itself. */
function layersOf(model: AnyModel): readonly WantedLayer[] {
  const { uses, outputs } = usesOf(model);
  const orders = new FeatureOrders(outputs);
  const leaves = storedLeaves(model);
  const layers = new Map<string, WantedTensor[]>();
  const first = new Map<string, ConfiguredUse>();
  for (const use of uses) if (!first.has(use.name)) first.set(use.name, use);
  for (const [name, use] of first) {
    const path = `${parameterPrefix(model.config)}layers.${name}.`;
    const own = leaves.filter((leaf) => nameOf(leaf).startsWith(path));
    const forms = own.length > 0 ? formsOf(use, path) : {};
    for (const leaf of own) {
      const { name: place, toPytorch, fromPytorch } = forms[nameOf(leaf).slice(path.length)]!;
      const { shape } = toPytorch({ shape: leaf.shape, values: new Float32Array(leaf.size) });
      const [prefix] = splitName(nameOf(leaf));
      const tensor = {
        leaf,
        name: splitName(place)[1],
        shape,
        fromPytorch: (given: TensorValues) => orders.inOwnOrder(leaf, fromPytorch(given)),
      };
      layers.set(prefix, [...(layers.get(prefix) ?? []), tensor]);
    }
  }
  return Array.from(layers, ([name, tensors]) => ({ name, tensors }));
}

/** A config without activations, which may be custom ones that have no module: a state_dict does not contain them. */
function plainConfig(config: LayerConfig): LayerConfig {
  const isLayer = (value: unknown): value is LayerConfig => isRecord(value) && typeof value["type"] === "string";
  const plain = Object.entries(config).map(([name, value]) => {
    if (name === "activation" || (name === "name" && config.type === "activation")) return [name, "identity"];
    return [name, Array.isArray(value) ? value.map((one: unknown) => (isLayer(one) ? plainConfig(one) : one)) : value];
  });
  return Object.fromEntries(plain) as LayerConfig;
}

/**
 * The parameters of a layer by their names in it.
 * @throws OptionError for a custom layer
 */
function formsOf({ config, input, output }: ConfiguredUse, path: string): Readonly<Record<string, PytorchParameter>> {
  if (!Object.hasOwn(layerTypes, config.type)) {
    const what = `the custom layer ${excerpt(config.type)} has parameters, and no module of PyTorch is known for it`;
    const fix = "Give a model without it, and copy the result with startFrom";
    throw new OptionError({ where: `layer ${path.slice(0, -1)}`, what, fix });
  }
  const shapes = [input.shape.slice(1), output.shape.slice(1)];
  const { parameters = {} } = networkModule([plainConfig(config)], shapes);
  return Object.fromEntries(Object.entries(parameters).map(([name, form]) => [name.slice("0.".length), form]));
}

type Assignment = readonly (readonly [WantedLayer, FileModule])[];

const shapeText = (shape: Shape): string => `[${shape.join(", ")}]`;

const wantedText = ({ tensors }: WantedLayer): string =>
  tensors.map(({ name, shape }) => `${name} ${shapeText(shape)}`).join(", ");

const moduleText = ({ name, tensors }: FileModule): string =>
  `${excerpt(name)} with ${Array.from(tensors, ([own, { shape }]) => `${own} ${shapeText(shape)}`).join(", ")}`;

const fits = ({ tensors: wanted }: WantedLayer, { tensors }: FileModule): boolean =>
  wanted.length === tensors.size &&
  wanted.every(({ name, shape }) => tensors.has(name) && sameShape(tensors.get(name)!.shape, shape));

function mismatch(file: string, layer: WantedLayer, found: string): DataError {
  return new DataError({
    where: `${file}, layer ${layer.name}`,
    what: `it needs ${wantedText(layer)}, but ${found}`,
    fix: "Give a model with the layers of the PyTorch network, and their options",
  });
}

/** @throws OptionError for names that do not fit; DataError for a module with other shapes than the layer's */
function inGivenOrder(
  layers: readonly WantedLayer[],
  modules: readonly FileModule[],
  names: readonly string[],
  file: string,
): Assignment {
  const where = optionName("layers");
  if (!Array.isArray(names) || names.length !== layers.length || new Set(names).size !== names.length) {
    const what = `${excerpt(names)} does not name one module for each of ${layers.map(({ name }) => name).join(", ")}`;
    throw new OptionError({ where, what, fix: "Give the names of the modules in the order of these layers" });
  }
  return layers.map((layer, position) => {
    const module = modules.find(({ name }) => name === names[position]);
    if (!module) {
      const fix = `Choose from ${modules.map(({ name }) => name).join(", ")}`;
      throw new OptionError({ where, what: `the file has no module ${excerpt(names[position])}`, fix });
    }
    if (!fits(layer, module)) throw mismatch(file, layer, `the file has ${moduleText(module)}`);
    return [layer, module] as const;
  });
}

/** The modules that the layers of a functional model are named after, with "_" for each dot; undefined unless all are. */
function byNames(
  model: AnyModel,
  layers: readonly WantedLayer[],
  modules: readonly FileModule[],
): Assignment | undefined {
  if (!isFunctional(model)) return undefined;
  const plain = (name: string) => name.replaceAll(".", "_");
  const prefix = `${parameterPrefix(model.config)}layers.`;
  const assigned = layers.flatMap((layer) => {
    const fitting = modules.filter(({ name }) => plain(name) === plain(layer.name.slice(prefix.length)));
    return fitting.length === 1 && fits(layer, fitting[0]!) ? [[layer, fitting[0]!] as const] : [];
  });
  return assigned.length === layers.length ? assigned : undefined;
}

/** @throws DataError for a layer that no module fits, or modules whose names have no order */
function byShapes(
  model: AnyModel,
  layers: readonly WantedLayer[],
  modules: readonly FileModule[],
  file: string,
): Assignment {
  const left = new Set(modules);
  return layers.map((layer) => {
    const [module, ...others] = [...left].filter((one) => fits(layer, one));
    if (!module) {
      const rest = [...left].map(moduleText).join("; ") || "nothing else";
      throw mismatch(file, layer, `the file has ${rest}`);
    }
    const unordered = others.find(({ name }) => withoutNumbers(name) !== withoutNumbers(module.name));
    if (unordered) {
      const what = `both ${excerpt(module.name)} and ${excerpt(unordered.name)} have ${wantedText(layer)}`;
      const order = `Give ${optionName("layers")}, the names of the modules in the order of the model's layers`;
      const fix = isFunctional(model) ? `${order}, or name all layers as the modules, with "_" for each dot` : order;
      throw new DataError({ where: `${file}, layer ${layer.name}`, what, fix });
    }
    left.delete(module);
    return [layer, module] as const;
  });
}

/** Names that differ only in numbers are in the order of the numbers. */
const withoutNumbers = (name: string): string => name.replaceAll(/\d+/g, "#");
