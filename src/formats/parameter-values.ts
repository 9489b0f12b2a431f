/*
 * The values of a model's parameters and states, by name.
 */
import { excerpt, OptionError } from "../errors.ts";
import { nameOf, type StoredAttributes } from "../graph/leaves.ts";
import { sameShape, sizeOf, type Tensor } from "../graph/tensor.ts";
import type { AnyModel } from "../nn/functional.ts";
import { storedLeaves } from "../nn/sequential.ts";
import type { TensorValues } from "./safetensors.ts";

/** Values by the name of the parameter or state. */
export type ParameterValues = Readonly<Record<string, TensorValues>>;

/**
 * The initial values of a model's parameters and states. For a model that was read from a file, they are the values in the file.
 */
export function initialValues(model: AnyModel): ParameterValues {
  const entries = storedLeaves(model).map(({ attributes, shape, size }) => {
    const { name, initial } = attributes as StoredAttributes;
    return [name, { shape, values: initial ?? new Float32Array(size) }] as const;
  });
  return Object.fromEntries(entries);
}

/**
 * @throws OptionError that names the parameter, for values that are missing, unknown, or of another shape than the
 * model's
 */
export function requireValues(wanted: readonly Tensor[], given: ParameterValues): void {
  const fix = "Give values of this model's parameters and states";
  if (typeof given !== "object" || given === null) {
    const what = `${excerpt(given)} is not an object of values by name`;
    throw new OptionError({ where: "parameters", what, fix: "Give those of `await trainer.snapshot()`" });
  }
  const shapes = new Map(wanted.map((leaf) => [nameOf(leaf), leaf.shape]));
  for (const [where, shape] of shapes) {
    const found = Object.hasOwn(given, where) ? given[where] : undefined;
    if (!found) throw new OptionError({ where, what: "its values are missing", fix });
    if (!sameShape(found.shape, shape) || found.values.length !== sizeOf(shape)) {
      const what = `${found.values.length} values of shape [${found.shape.join(", ")}] for the shape [${shape.join(", ")}]`;
      throw new OptionError({ where, what, fix });
    }
  }
  const extra = Object.keys(given).find((name) => !shapes.has(name));
  if (extra !== undefined)
    throw new OptionError({ where: excerpt(extra), what: "the model has no parameter or state of this name", fix });
}
