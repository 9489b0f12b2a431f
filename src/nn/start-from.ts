import { OptionError } from "../errors.ts";
import { parameter, type StoredAttributes } from "../graph/leaves.ts";
import { substituted } from "../graph/substitute.ts";
import { sameShape, sizeOf, type Shape, type Tensor } from "../graph/tensor.ts";
import type { Model } from "./sequential.ts";

/** A copy of a model that uses other leaves in place of some of its parameters. */
export function withParameters(model: Model, replacements: ReadonlyMap<Tensor, Tensor>): Model {
  return {
    ...model,
    parameters: model.parameters.map((own) => replacements.get(own) ?? own),
    apply: (x, options) => substituted([model.apply(x, options)], replacements)[0]!,
    applyEach: (x, options) => substituted(model.applyEach(x, options), replacements),
  };
}

/** Values of parameters by name, such as those of a snapshot or `initialValues(model)`. */
export type NamedValues = Readonly<Record<string, { readonly shape: Shape; readonly values: Float32Array }>>;

/** The options of `startFrom`. */
export interface StartOptions {
  /** The name in the values for a parameter of the model, such as `encoder.layers.0.weight`; the same by default. */
  readonly nameOf?: (parameter: string) => string;
}

/** The result of `startFrom`. */
export interface Start {
  /** The model with the copied initial values. */
  readonly model: Model;
  /** The names of the model's parameters that were copied. */
  readonly copied: readonly string[];
  /** The names of the model's parameters without values. They keep their own initial values. */
  readonly missing: readonly string[];
  /** Parameters whose values have another shape. They keep their own initial values. */
  readonly mismatched: readonly { readonly name: string; readonly shape: Shape; readonly given: Shape }[];
  /** The names of values that no parameter of the model has. */
  readonly unused: readonly string[];
}

/**
 * Initializes a model with values from another one, for all parameters that match by name and shape. The rest of the
 * model is the same. The given model does not change.
 *
 * @example
 * ```ts
 * const { model, copied, missing } = startFrom(sequential([dense(64), dense(3)], { inputShape: [20] }), initialValues(trained));
 * const trainer = await createTrainer({ ...options, model, frozen: copied });
 * ```
 *
 * @throws OptionError if the number of values differs from their shape, or if nothing matches
 */
export function startFrom(model: Model, values: NamedValues, options: StartOptions = {}): Start {
  const { nameOf = (name) => name } = options;
  const replacements = new Map<Tensor, Tensor>();
  const used = new Set<string>();
  const copied: string[] = [];
  const missing: string[] = [];
  const mismatched: { name: string; shape: Shape; given: Shape }[] = [];
  for (const own of model.parameters) {
    const { name } = own.attributes as StoredAttributes;
    const source = nameOf(name);
    const given = Object.hasOwn(values, source) ? values[source] : undefined;
    if (!given) {
      missing.push(name);
      continue;
    }
    used.add(source);
    requireWhole(source, given);
    if (!sameShape(given.shape, own.shape)) {
      mismatched.push({ name, shape: own.shape, given: given.shape });
      continue;
    }
    replacements.set(own, parameter(name, own.shape, given.values));
    copied.push(name);
  }
  const unused = Object.keys(values).filter((name) => !used.has(name));
  if (copied.length === 0) throw nothingMatches(missing, mismatched, unused);
  return { model: withParameters(model, replacements), copied, missing, mismatched, unused };
}

function requireWhole(where: string, { shape, values }: NamedValues[string]): void {
  if (values.length === sizeOf(shape)) return;
  const what = `there are ${values.length} values for the shape [${shape.join(", ")}]`;
  throw new OptionError({ where, what, fix: "Give one value per element" });
}

function nothingMatches(missing: Start["missing"], mismatched: Start["mismatched"], unused: Start["unused"]) {
  const [other] = mismatched;
  const what = other
    ? `no parameter has the shape of its values: ${other.name} is [${other.shape.join(", ")}], and the values are [${other.given.join(", ")}]`
    : `no name matches: the model has ${missing[0] ?? "no parameters"}, and the values have ${unused[0] ?? "no names"}`;
  return new OptionError({
    where: "startFrom",
    what,
    fix: "Give values of a model with the same layers, or nameOf, which names the values of a parameter",
  });
}
