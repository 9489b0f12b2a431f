import { nameOf } from "../graph/leaves.ts";
import { excerpt, OptionError } from "../errors.ts";
import { sizeOf, type Shape, type Tensor } from "../graph/tensor.ts";
import type { Initialization } from "./build.ts";
import { storedLeaves } from "./sequential.ts";

/** Values of parameters and states by name, row-major. */
export type GivenValues = Readonly<Record<string, ArrayLike<number>>>;

const fix = "Give the values that were saved with this config";

/**
 * Initializes parameters and states with given values.
 * @throws OptionError, when a model is built, for values that are missing or of another length
 */
export function initializedWith(values: GivenValues): Initialization {
  const given = (name: string, shape: Shape): Float32Array => {
    const found = Object.hasOwn(values, name) ? values[name]! : undefined;
    if (found?.length !== sizeOf(shape)) {
      const wanted = `the shape [${shape.join(", ")}] of size ${sizeOf(shape)}`;
      const what = found ? `${found.length} values for ${wanted}` : "its values are missing";
      throw new OptionError({ where: name, what, fix });
    }
    // The parameter makes its own copy.
    return found instanceof Float32Array ? found : Float32Array.from(found);
  };
  return { values: (_index, _position, name, shape) => given(name, shape), states: given };
}

/** @throws OptionError for values that the model has no parameter or state for */
export function requireNoOthers(
  model: { readonly parameters: readonly Tensor[]; readonly states: readonly Tensor[] },
  values: GivenValues,
): void {
  const known = new Set(storedLeaves(model).map(nameOf));
  const extra = Object.keys(values).find((name) => !known.has(name));
  if (extra === undefined) return;
  throw new OptionError({ where: "model config", what: `the model has no parameter ${excerpt(extra)}`, fix });
}
