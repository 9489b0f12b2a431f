import { excerpt, OptionError } from "../errors.ts";
import type { Shape } from "../graph/tensor.ts";
import { byFolder } from "../nn/layers/by-folder.ts";
import type { PytorchChainOptions, PytorchForm, PytorchModule, PytorchParameter } from "../nn/layers/forms.ts";
import type { ConfigValue, LayerConfig } from "../nn/layers/layer.ts";
import { shapesOfLayers } from "../nn/model-config.ts";

const forms = byFolder<PytorchForm>(import.meta.glob("../nn/layers/*/pytorch.ts", { eager: true, import: "pytorch" }));

/** @throws OptionError for a custom layer */
function formOf({ type }: LayerConfig): PytorchForm {
  if (Object.hasOwn(forms, type)) return forms[type]!;
  throw new OptionError({
    where: "PyTorch",
    what: `there is no module for the layer ${excerpt(type)}`,
    fix: "Write this layer in Python",
  });
}

/** A module and the index of its layer; none for a module that stands between layers. */
interface PlacedModule {
  readonly module: PytorchModule;
  readonly layer?: number;
}

/**
 * The nn.Sequential of a model's layers. Its parameters have names such as "0.weight", by the index of the layer, and in
 * PyTorch by the number of the module.
 * @param shapes the shape of one example of the input of each layer, and of the output
 * @param options isNetwork: whether the layers are a whole network, whose code flattens examples before the first layer; true
 * by default
 * @throws OptionError for a custom layer
 */
export const networkModule = (
  layers: readonly LayerConfig[],
  shapes: readonly Shape[],
  { isNetwork = true }: { readonly isNetwork?: boolean } = {},
): PytorchModule => chainOf(modulesOf(layers, shapes, isNetwork));

/**
 * The shape of one example that the first module of a network reads: the code before the network stands for the layers before it,
 * which have no module.
 */
export function firstModuleShape(layers: readonly LayerConfig[], shapes: readonly Shape[]): Shape {
  const first = modulesOf(layers, shapes, true)[0];
  return shapes[first?.layer ?? layers.length]!;
}

function modulesOf(layers: readonly LayerConfig[], shapes: readonly Shape[], isNetwork: boolean): PlacedModule[] {
  return layers.flatMap((config, layer) => {
    const inputShape = shapes[layer]!;
    const chain = (inner: ConfigValue | undefined, options: PytorchChainOptions = {}) => {
      const { before, after } = options;
      const innerShapes = shapesOfLayers(inner, options.inputShape ?? inputShape);
      const modules = modulesOf(inner as readonly LayerConfig[], innerShapes, false);
      return chainOf([...(before ? [{ module: before }] : []), ...modules, ...(after ? [{ module: after }] : [])]);
    };
    const place = { isFirst: isNetwork && layer === 0, inputShape, outputShape: shapes[layer + 1]!, chain };
    return formOf(config)(config, place).map((module) => ({ module, layer }));
  });
}

function chainOf(modules: readonly PlacedModule[]): PytorchModule {
  const placed = withoutUndone(modules);
  return {
    code: `nn.Sequential(${placed.map(({ module }) => module.code).join(", ")})`,
    definitions: placed.flatMap(({ module }) => module.definitions ?? []),
    parameters: Object.fromEntries(placed.flatMap(parametersOf)),
  };
}

function parametersOf({ module, layer }: PlacedModule, position: number): [string, PytorchParameter][] {
  return Object.entries(module.parameters ?? {}).map(([own, parameter]) => {
    return [`${layer}.${own}`, { ...parameter, name: `${position}.${parameter.name}` }];
  });
}

/** Leaves out permutations that undo each other, also around modules that treat each element by itself. */
function withoutUndone(modules: readonly PlacedModule[]): PlacedModule[] {
  const kept: PlacedModule[] = [];
  for (const placed of modules) {
    const { permutes } = placed.module;
    const at = kept.findLastIndex(({ module }) => !module.elementwise);
    const before = permutes && kept[at]?.module.permutes;
    const isUndone =
      before?.length === permutes?.length && permutes?.every((axis, position) => before![axis] === position);
    if (isUndone) kept.splice(at, 1);
    else kept.push(placed);
  }
  return kept;
}
