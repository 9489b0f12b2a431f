import { OptionError } from "../errors.ts";
import { parameter, state, type StoredAttributes } from "../graph/leaves.ts";
import { substituted } from "../graph/substitute.ts";
import { sameShape, sizeOf, type Shape, type Tensor } from "../graph/tensor.ts";
import type { AnyModel, FunctionalModel, LayerUse } from "./functional.ts";
import { isFunctional } from "./is-functional.ts";
import type { ApplyOptions, BatchMoments } from "./layers/layer.ts";
import { storedLeaves, type Model } from "./sequential.ts";

type Replacements = ReadonlyMap<Tensor, Tensor>;

/** A copy of a model that uses other leaves in place of some of its parameters and states. */
export function withParameters<Kind extends AnyModel>(model: Kind, replacements: Replacements): Kind;
export function withParameters(model: AnyModel, replacements: Replacements): AnyModel {
  const replaced = (leaves: readonly Tensor[]) => leaves.map((own) => replacements.get(own) ?? own);
  const leaves = { parameters: replaced(model.parameters), states: replaced(model.states) };
  return isFunctional(model)
    ? { ...model, ...leaves, ...functionWith(model, replacements) }
    : { ...model, ...leaves, ...sequenceWith(model, replacements) };
}

function sequenceWith(model: Model, replacements: Replacements): Pick<Model, "apply" | "applyEach"> {
  const applyEach: Model["applyEach"] = (x, options) =>
    replacedIn((own) => model.applyEach(x, own), replacements, options);
  return { applyEach, apply: (x, options) => applyEach(x, options).at(-1)! };
}

function functionWith(
  model: FunctionalModel,
  replacements: Replacements,
): Pick<FunctionalModel, "apply" | "applyEach"> {
  const applyEach: FunctionalModel["applyEach"] = (inputs, options) => {
    let found: ReturnType<FunctionalModel["applyEach"]>;
    let tensors: readonly Tensor[] = [];
    const apply = (own: ApplyOptions) => {
      found = model.applyEach(inputs, own);
      tensors = [...new Set([...Object.values(found.outputs), ...found.uses.flatMap(tensorsOf)])];
      return tensors;
    };
    const results = replacedIn(apply, replacements, options);
    const made = new Map(tensors.map((tensor, index) => [tensor, results[index]!]));
    const { outputs, uses } = found!;
    const replacedBy = <Tensors extends object>(given: Tensors): Tensors =>
      Object.fromEntries(Object.entries(given).map(([name, tensor]) => [name, made.get(tensor)!])) as Tensors;
    return {
      outputs: replacedBy(outputs),
      uses: uses.map(({ name, initialState, finalState, ...given }) => ({
        name,
        ...replacedBy(given),
        ...(initialState && { initialState: replacedBy(initialState) }),
        ...(finalState && { finalState: replacedBy(finalState) }),
      })),
    };
  };
  return { applyEach, apply: (inputs, options) => applyEach(inputs, options).outputs };
}

/** All tensors of a use. */
const tensorsOf = ({ name: _name, initialState, finalState, ...tensors }: LayerUse): Tensor[] =>
  [tensors, initialState, finalState].flatMap((named) => Object.values<Tensor>({ ...named }));

const momentTensors = ["runningMean", "runningVariance", "mean", "variance"] as const;

/** What a model returns with other leaves. The moments that it records, which depend on them too, are replaced with it. */
function replacedIn(
  apply: (options: ApplyOptions) => readonly Tensor[],
  replacements: Replacements,
  options: ApplyOptions = {},
): Tensor[] {
  const moments: BatchMoments[] = [];
  const results = apply({ ...options, recordMoments: (one) => moments.push(one) });
  const parts = moments.flatMap((one) => momentTensors.map((part) => one[part]));
  const made = substituted([...results, ...parts], replacements);
  moments.forEach((one, index) => {
    const first = results.length + index * momentTensors.length;
    const own = Object.fromEntries(momentTensors.map((part, offset) => [part, made[first + offset]!]));
    options.recordMoments?.({ ...one, ...own });
  });
  return made.slice(0, results.length);
}

/** Values of parameters by name, such as those of a snapshot or `initialValues(model)`. */
export type NamedValues = Readonly<Record<string, { readonly shape: Shape; readonly values: Float32Array }>>;

/** The options of `startFrom`. */
export interface StartOptions {
  /** The name in the values for a parameter of the model, such as `encoder.layers.0.weight`; the same by default. */
  readonly nameOf?: (parameter: string) => string;
}

/** The result of `startFrom`. */
export interface Start<Kind extends AnyModel = Model> {
  /** The model with the copied initial values. */
  readonly model: Kind;
  /** The names of the model's parameters that were copied. */
  readonly copied: readonly string[];
  /** The names of the layers' states, such as running statistics, that were copied. */
  readonly copiedStates: readonly string[];
  /** The names of the model's parameters and states without values. They keep their own initial values. */
  readonly missing: readonly string[];
  /** Parameters and states whose values have another shape. They keep their own initial values. */
  readonly mismatched: readonly { readonly name: string; readonly shape: Shape; readonly given: Shape }[];
  /** The names of values that no parameter or state of the model has. */
  readonly unused: readonly string[];
}

/**
 * Initializes a model with values from another one, for all parameters and states that match by name and shape.
 * The rest of the model is the same. The given model does not change.
 *
 * @example
 * ```ts
 * const { model, copied, missing } = startFrom(sequential([dense(64), dense(3)], { inputShape: [20] }), initialValues(trained));
 * const trainer = await createTrainer({ ...options, model, frozen: copied });
 * ```
 *
 * @throws OptionError if the number of values differs from their shape, or if nothing matches
 */
export function startFrom<Kind extends AnyModel>(
  model: Kind,
  values: NamedValues,
  options: StartOptions = {},
): Start<Kind> {
  const { nameOf = (name) => name } = options;
  const replacements = new Map<Tensor, Tensor>();
  const used = new Set<string>();
  const [copied, copiedStates]: [string[], string[]] = [[], []];
  const missing: string[] = [];
  const mismatched: { name: string; shape: Shape; given: Shape }[] = [];
  for (const own of storedLeaves(model)) {
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
    const isState = model.states.includes(own);
    replacements.set(own, (isState ? state : parameter)(name, own.shape, given.values));
    (isState ? copiedStates : copied).push(name);
  }
  const unused = Object.keys(values).filter((name) => !used.has(name));
  if (copied.length === 0) throw nothingMatches(missing, mismatched, unused);
  return { model: withParameters(model, replacements), copied, copiedStates, missing, mismatched, unused };
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
