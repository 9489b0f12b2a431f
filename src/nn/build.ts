/*
 * What models of both kinds have in common: how they build their layers, and the checks of their options.
 */
import { excerpt, OptionError } from "../errors.ts";
import { parameter, state } from "../graph/leaves.ts";
import { sizeOf, type Shape, type Tensor } from "../graph/tensor.ts";
import { Random, randomKey } from "../random.ts";
import { checkedLayer } from "./extensions.ts";
import type { ApplyOptions, BuiltLayer, Layer, LayerContext } from "./layers/layer.ts";

/** The first part of every key, "in" or "dr", which separates the random streams of one seed. */
const INITIAL_STREAM = 0x696e;
const DROPOUT_STREAM = 0x6472;

/** More elements than any device can hold in one buffer. The limit avoids exhausting memory if a width is absurd. */
const LARGEST_PARAMETER = 2 ** 30;

/** The key of a dropout layer's mask: a function of the seed, the step, the layer, and the part of the step's batch. */
export function dropoutKey(seed: number, step: number, layer: number, part = 0): number {
  return randomKey(DROPOUT_STREAM, seed, step, layer, part);
}

/** The options of `apply` with their default values. */
export function resolvedOptions(options: ApplyOptions, seed: number): Required<ApplyOptions> {
  const { training = false, precision = "float32" } = options;
  const { dropoutKeyAt = (step, layer) => dropoutKey(seed, step, layer) } = options;
  const { recordMoments = () => {}, recordAttention = () => {}, recordOutput = () => {} } = options;
  return { training, precision, dropoutKeyAt, recordMoments, recordAttention, recordOutput };
}

/** The initial values of the parameter at a position in a layer; undefined if they are not needed. */
export type InitialValues = (
  index: number,
  position: number,
  ...parameterArguments: Parameters<LayerContext["parameter"]>
) => Float32Array | undefined;

/** The initial values of a layer's state; undefined if they are not needed. */
export type InitialStates = (name: string, shape: Shape, initial: number) => Float32Array | undefined;

/** Where the initial values of a model's parameters and states come from. */
export interface Initialization {
  readonly values: InitialValues;
  /** By default, all elements of a state have the value that its layer gives. */
  readonly states?: InitialStates;
}

/** For a model of which only the names and shapes are needed: it takes no memory, however large a shape is. */
export const uninitialized: Initialization = { values: () => undefined, states: () => undefined };

/** Draws the initial values of each parameter from a random stream of its own. */
export function drawnFrom(seed: number): Initialization {
  return {
    values(index, position, name, shape, initializer, fans) {
      if (sizeOf(shape) > LARGEST_PARAMETER) {
        throw new OptionError({
          where: name,
          what: `shape [${shape.join(", ")}] has more than ${LARGEST_PARAMETER} elements`,
          fix: "Use fewer units",
        });
      }
      return initializer(shape, fans, new Random(INITIAL_STREAM, seed, index, position));
    },
  };
}

const filled: InitialStates = (_name, shape, initial) => new Float32Array(sizeOf(shape)).fill(initial);

/** Builds layers and collects their parameters and states. */
export class LayerBuilder {
  readonly parameters: Tensor[] = [];
  readonly states: Tensor[] = [];
  readonly #prefix: string;
  readonly #initialization: Initialization;
  readonly #names = new Set<string>();

  /** @param prefix precedes the names of all parameters and states, such as "encoder." */
  constructor(prefix: string, initialization: Initialization) {
    this.#prefix = prefix;
    this.#initialization = initialization;
  }

  build(layer: Layer, place: Omit<LayerContext, "parameter" | "state">): BuiltLayer {
    const { values, states = filled } = this.#initialization;
    const { index, path } = place;
    let position = 0;
    const result = layer.build({
      ...place,
      parameter: (name, shape, initializer, fans) => {
        const fullName = this.#newName(path, name);
        const made = parameter(fullName, shape, values(index, position++, fullName, shape, initializer, fans));
        this.parameters.push(made);
        return made;
      },
      state: (name, shape, initial) => {
        const fullName = this.#newName(path, name);
        const made = state(fullName, shape, states(fullName, shape, initial));
        this.states.push(made);
        return made;
      },
    });
    return checkedLayer(layer, path, result);
  }

  /** The name in the model of a layer's parameter or state. */
  nameIn(path: string, name: string): string {
    return `${this.#prefix}layers.${path}.${name}`;
  }

  #newName(path: string, name: string): string {
    const fullName = this.nameIn(path, name);
    if (this.#names.has(fullName)) {
      throw new OptionError({
        where: fullName,
        what: "the layer makes two parameters or states with this name",
        fix: "Use different names",
      });
    }
    this.#names.add(fullName);
    return fullName;
  }
}

/** Whether a value is a name of letters, digits, "_" and "-" that starts with a letter. */
export const isName = (name: unknown): name is string => typeof name === "string" && /^[A-Za-z][\w-]*$/.test(name);

/** @throws OptionError if it is neither undefined nor a valid name of a model */
export function requireModelName(where: string, name: unknown): void {
  if (name === undefined || (isName(name) && name !== "optimizer")) return;
  throw new OptionError({
    where: `${where} name`,
    what: `${excerpt(name)} is not a valid name of a model`,
    fix: 'Give letters, digits, "_" and "-", starting with a letter; not "optimizer"',
  });
}
