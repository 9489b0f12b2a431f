import { excerpt, GraphError, OptionError } from "../errors.ts";
import { requireTensor, sameShape } from "../graph/tensor.ts";
import { activations, type ActivationName, type CustomActivation } from "./activations.ts";
import type { BuiltLayer, ConfigResolver, Layer, LayerConfig } from "./layers/layer.ts";

/**
 * What stands behind the names in a model's config that are not wgrad's own: a file keeps the parameters of such layers
 * and activations, their names and their options, but none of their code.
 */
export interface ModelExtensions {
  /** For each type of layer of your own, what makes it from its config. `resolver` makes the layers of nested configs. */
  readonly layers?: Readonly<Record<string, (config: LayerConfig, resolver: ConfigResolver) => Layer>>;
  readonly activations?: readonly CustomActivation[];
}

/**
 * The activation that a config names.
 * @throws OptionError for a name that is neither wgrad's nor among those given
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
    what: `there is no activation ${excerpt(name)}, unless you give your own as { activations: [{ name: ${excerpt(name)}, apply }] }`,
    fix: `Choose one of ${Object.keys(activations).join(", ")}`,
  });
}

/** A layer that checks what it makes against what it said, since the layers after it were built on that. */
export function checkedLayer({ config: { type } }: Layer, index: number, layer: BuiltLayer): BuiltLayer {
  const where = `layer ${index}, ${type}`;
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
    const fix = "Give the shape of one example that leaves the layer, such as [10]";
    throw new OptionError({ where, what: `its outputShape is ${excerpt(outputShape)}`, fix });
  }
  return {
    outputShape,
    apply(x, options) {
      const value = layer.apply(x, options);
      requireTensor(`${where}, apply`, value);
      const wanted = [x.shape[0]!, ...outputShape];
      if (value.dtype === "float32" && sameShape(value.shape, wanted)) return value;
      throw new GraphError({
        where,
        what: `it makes ${value} of ${x}, but said that it makes [batch, ${outputShape.join(", ")}]`,
        fix: "Keep the batch first, and give outputShape and the result of apply the same shape",
      });
    },
  };
}
