import { OptionError } from "../errors.ts";
import { input, type StoredAttributes } from "../graph/leaves.ts";
import type { Tensor } from "../graph/tensor.ts";
import type { ModelExtensions } from "./extensions.ts";
import type { FunctionalModel, LayerUse } from "./functional.ts";
import type { LayerConfig } from "./layers/layer.ts";
import { layerTypes } from "./layers/registry.ts";
import { modelFromConfig } from "./model-config.ts";
import { parameterPrefix, storedLeaves, type Model } from "./sequential.ts";
import type { NamedValues } from "./start-from.ts";

/**
 * The sequential model that equals a functional model whose function only applies layers one after another, for example
 * to export it. Its parameters are named by the positions of the layers. The input of a model that begins with an embedding
 * becomes float32.
 * @param values values of the model's parameters and states, such as those of a snapshot; the initial ones by default
 * @param extensions the model's custom layers and activations
 * @throws OptionError if the function does something else, such as using several inputs or a layer twice
 */
export function toSequential(model: FunctionalModel, values?: NamedValues, extensions?: ModelExtensions): Model {
  const { config, inputs } = model;
  const [[name, { shape, dtype }], ...others] = Object.entries(inputs) as [[string, FunctionalModel["inputs"][string]]];
  const x = input(name, [1, ...shape], dtype);
  const refuse = (what: string) => {
    const fix = "Give a model whose function applies each of its layers once to the result of the one before";
    return new OptionError({ where: "toSequential", what, fix });
  };
  if (others.length > 0) throw refuse(`the model has the inputs ${Object.keys(inputs).join(", ")}`);
  const { uses, outputs } = model.applyEach({ [name]: x });
  if (dtype !== "float32" && !takesIndices(config.layers[uses[0]?.name ?? ""]))
    throw refuse(`its input ${name} is ${dtype}, and its first layer is no embedding`);
  const [output, ...more] = Object.values(outputs);
  if (more.length > 0) throw refuse(`the model has the outputs ${Object.keys(outputs).join(", ")}`);
  const wrong = brokenAt(uses, x, output!);
  if (wrong !== undefined) throw refuse(`its function does more than chain layers: ${wrong}`);
  const prefix = `${parameterPrefix(config)}layers.`;
  const positions = new Map(uses.map((use, position) => [use.name, position]));
  const renamed = storedLeaves(model).map(({ attributes }) => {
    const { name: own, initial } = attributes as StoredAttributes;
    const [layer, ...rest] = own.slice(prefix.length).split(".");
    const given = values ? values[own]?.values : initial;
    if (!given) throw new OptionError({ where: own, what: "its values are missing", fix: "Give values of this model" });
    return [`${prefix}${[positions.get(layer!), ...rest].join(".")}`, given] as const;
  });
  const { seed, layers, name: modelName } = config;
  const chain = uses.map((use) => layers[use.name]!);
  const given = { inputShape: shape, seed, layers: chain, ...(modelName !== undefined && { name: modelName }) };
  return modelFromConfig(given, Object.fromEntries(renamed), extensions);
}

/** Whether a layer takes the same indices as uint32 and as float32, the type of every input of a sequential model. */
const takesIndices = (layer: LayerConfig | undefined): boolean =>
  layer !== undefined && Object.hasOwn(layerTypes, layer.type) && layerTypes[layer.type]!.takesIndices === true;

/** Where a chain of layers is broken, in words. */
function brokenAt(uses: readonly LayerUse[], x: Tensor, output: Tensor): string | undefined {
  let value = x;
  const names = new Set<string>();
  for (const { name, input: own, output: result, mask, memory, initialState } of uses) {
    if (mask || memory) return `the layer ${name} gets a ${mask ? "mask" : "memory"}`;
    if (initialState) return `the layer ${name} gets a state`;
    if (names.has(name)) return `it uses the layer ${name} twice`;
    if (own !== value) return `the input of the layer ${name} is not the result of the layer before it`;
    names.add(name);
    value = result;
  }
  return output === value ? undefined : "its output is not the result of its last layer";
}
