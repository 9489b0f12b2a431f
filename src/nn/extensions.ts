import { excerpt, GraphError, OptionError } from "../errors.ts";
import { requireTensor, sameShape, type Tensor } from "../graph/tensor.ts";
import { activations, type ActivationName, type CustomActivation } from "./activations.ts";
import type { BuiltLayer, ConfigResolver, Layer, LayerConfig } from "./layers/layer.ts";

/**
 * The custom layers and activations of a model's config. A file stores their parameters, names and options, but not
 * their code.
 */
export interface ModelExtensions {
  /**
   * For each custom type of layer, a function that makes it from its config. Use `resolver` to make layers of nested
   * configs.
   */
  readonly layers?: Readonly<Record<string, (config: LayerConfig, resolver: ConfigResolver) => Layer>>;
  readonly activations?: readonly CustomActivation[];
}

/**
 * The activation with a name from a config.
 * @throws OptionError for a name that is neither built-in nor in `extensions`
 */
export function activationNamed(
  name: unknown,
  own: ModelExtensions["activations"] = [],
): ActivationName | CustomActivation {
  const found = own.find((activation) => activation.name === name);
  if (found) return found;
  if (typeof name === "string" && Object.hasOwn(activations, name)) return name as ActivationName;
  throw new OptionError({
    where: "activation",
    what: `unknown activation ${excerpt(name)}. A custom one must be given as { activations: [{ name: ${excerpt(name)}, apply }] }`,
    fix: `Choose one of ${Object.keys(activations).join(", ")}`,
  });
}

/**
 * Wraps a layer so that its results are checked against the `outputShape` that it declared, on which the next layers
 * were built.
 */
export function checkedLayer({ config: { type } }: Layer, path: string, layer: BuiltLayer): BuiltLayer {
  const where = `layer ${path}, ${type}`;
  if (!Array.isArray((layer as BuiltLayer | null | undefined)?.outputShape) || typeof layer.apply !== "function") {
    const what = `its build returns ${excerpt(layer)}`;
    throw new OptionError({
      where,
      what,
      fix: "Return { outputShape, apply }, with the shape of one example as an array",
    });
  }
  const { outputShape } = layer;
  if (!outputShape.every((size) => Number.isSafeInteger(size) && size >= 1)) {
    const fix = "Give the shape of one example after the layer, such as [10]";
    throw new OptionError({ where, what: `its outputShape is ${excerpt(outputShape)}`, fix });
  }
  const checked = (x: Tensor, value: Tensor): Tensor => {
    requireTensor(`${where}, apply`, value);
    const wanted = [x.shape[0]!, ...outputShape];
    if (value.dtype === "float32" && sameShape(value.shape, wanted)) return value;
    throw new GraphError({
      where,
      what: `it returns ${value} for ${x}, but its outputShape promises [batch, ${outputShape.join(", ")}]`,
      fix: "Keep the batch as the first axis, and make outputShape match the result of apply",
    });
  };
  return {
    outputShape,
    apply: (x, options) => checked(x, layer.apply(x, options)),
    applyWithState:
      layer.applyWithState &&
      ((x, options) => {
        const result = layer.applyWithState!(x, options);
        checked(x, result.output);
        return result;
      }),
  };
}
