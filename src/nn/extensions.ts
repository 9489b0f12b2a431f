import { GraphError, OptionError } from "../errors.ts";
import { sameShape, type Tensor } from "../graph/tensor.ts";
import { activations, type ActivationName, type CustomActivation } from "./activations.ts";
import { written } from "./checks.ts";
import type { BuiltLayer, Layer, LayerConfig } from "./layers.ts";

/**
 * What stands behind the names in a model's config that are not wgrad's own: a file keeps the parameters of such layers
 * and activations, their names and their options, but none of their code.
 */
export interface ModelExtensions {
  /** For each type of layer of one's own, what makes it of its config again. */
  readonly layers?: Readonly<Record<string, (config: LayerConfig) => Layer>>;
  readonly activations?: readonly CustomActivation[];
}

/**
 * The activation that a config names.
 * @throws OptionError for a name that is neither wgrad's nor among those given
 */
export function activationNamed(name: unknown, own: ModelExtensions["activations"] = []): ActivationName | CustomActivation {
  const found = own.find((activation) => activation.name === name);
  if (found) return found;
  if (typeof name === "string" && Object.hasOwn(activations, name)) return name as ActivationName;
  throw new OptionError({
    where: "activation",
    what: `there is no activation ${written(name)}, unless you give your own as { activations: [{ name: ${written(name)}, apply }] }`,
    fix: `Choose one of ${Object.keys(activations).join(", ")}`,
  });
}

/**
 * A layer that checks what it makes against what it said, since the layers after it were built on that.
 * @throws GraphError for a layer that says no shape
 */
export function checkedLayer({ config: { type } }: Layer, index: number, layer: BuiltLayer): BuiltLayer {
  const where = `layer ${index}, ${type}`;
  if (typeof layer !== "object" || layer === null || typeof layer.apply !== "function") {
    throw new GraphError({ where, what: `its build returns ${written(layer)}`, fix: "Return { outputShape, apply }" });
  }
  const { outputShape } = layer;
  if (!Array.isArray(outputShape) || !outputShape.every((size) => Number.isSafeInteger(size) && size >= 1)) {
    const fix = "Give the shape of one example that leaves the layer, such as [10]";
    throw new GraphError({ where, what: `outputShape is ${written(outputShape)}`, fix });
  }
  return {
    outputShape,
    apply(x, options) {
      const value = layer.apply(x, options) as Partial<Tensor> | null | undefined;
      const wanted = [x.shape[0]!, ...outputShape];
      if (value?.dtype === "float32" && value.shape && sameShape(value.shape, wanted)) return value as Tensor;
      const made = value?.shape ? String(value) : written(value);
      throw new GraphError({
        where,
        what: `it makes ${made} of ${x}, but said that it makes [batch, ${outputShape.join(", ")}]`,
        fix: "Keep the batch first, and give outputShape and the result of apply the same shape",
      });
    },
  };
}
