/*
 * What the recurrent layers share.
 */
import type { Tensor } from "../../graph/tensor.ts";
import { concat, split } from "../../ops/indexing/index.ts";
import type { RecurrentOptions, RecurrentResult, RecurrentWeights } from "../../ops/recurrent/index.ts";
import { tensorsOfState } from "../../ops/recurrent/state.ts";
import { refuseOtherOptions } from "../../option-names.ts";
import { requireCount } from "../checks.ts";
import { fanInUniform, type Initializer } from "../initializers.ts";
import { requireBoolean } from "./affine.ts";
import {
  optionsOf,
  type LayerApplyOptions,
  type LayerConfig,
  type LayerContext,
  type RecurrentLayer,
  type RecurrentState,
} from "./layer.ts";
import { sequenceShape } from "./sequences.ts";

/** The options of `layers.gru` and `layers.lstm`. */
export interface RecurrentLayerOptions {
  /** Whether to return the outputs of all steps, [length, units]; false, the default, returns the last one, [units]. */
  readonly sequences?: boolean;
  /**
   * Whether other weights also read the sequence from its end; false by default. The outputs of both directions are concatenated,
   * [2 · units], as in PyTorch. Without `sequences` they are those of the step that each direction reads last.
   */
  readonly bidirectional?: boolean;
  /** Whether the products with the input and with the output before have a bias; true by default. */
  readonly bias?: boolean;
  /** The initializer of both weights and biases; uniform in ±1/√units by default, as in PyTorch. */
  readonly weights?: Initializer;
}

/** A kind of recurrent layer. */
interface RecurrentKind<State extends RecurrentState> {
  readonly type: string;
  readonly gates: number;
  /** The names in its state, in order. */
  readonly states: readonly (keyof State & string)[];
  readonly apply: (x: Tensor, weights: RecurrentWeights, options: RecurrentOptions<State>) => Tensor;
  readonly applyWithState: (
    x: Tensor,
    weights: RecurrentWeights,
    options: RecurrentOptions<State>,
  ) => RecurrentResult<State>;
}

/** @throws OptionError for an option outside its range */
export function recurrentLayer<State extends RecurrentState>(
  kind: RecurrentKind<State>,
  units: number,
  options: RecurrentLayerOptions,
): RecurrentLayer<State> {
  const { type } = kind;
  refuseOtherOptions(type, options, { sequences: true, bidirectional: true, bias: true, weights: true });
  const { sequences = false, bidirectional = false, bias = true, weights: initializer = fanInUniform } = options;
  requireCount(`${type} units`, units);
  for (const [name, value] of Object.entries({ sequences, bidirectional, bias })) {
    requireBoolean(`${type} ${name}`, value);
  }
  return {
    // Configs that were saved before there were two directions have no such option.
    config: { type, units, sequences, bias, ...(bidirectional && { bidirectional }) },
    build(context) {
      const [length, width] = sequenceShape(type, context.inputShape);
      const made = { gates: kind.gates, width, units, bias, initializer };
      const directions = namingsOf(bidirectional).map((nameOf) => {
        return { sequences, reverse: nameOf === reverseName, weights: weightsOf(context, made, nameOf) };
      });
      const outputs = directions.length * units;
      const where = `layer ${context.path}, ${type}`;
      return {
        outputShape: sequences ? [length, outputs] : [outputs],
        ...appliedBy(kind, directions, { where, outputs }),
      };
    },
  };
}

interface WeightOptions {
  readonly gates: number;
  readonly width: number;
  readonly units: number;
  readonly bias: boolean;
  readonly initializer: Initializer;
}

/** The name of a parameter in a direction, from its name in the forward one. */
export type Naming = (name: string) => string;

/** The name of a parameter of the forward direction. */
export const forwardName: Naming = (name) => name;

/** The name of the same parameter of the backward direction. */
export const reverseName: Naming = (name) => `reverse${name[0]!.toUpperCase()}${name.slice(1)}`;

/** How the parameters of each direction are named. */
export const namingsOf = (bidirectional: boolean): readonly Naming[] =>
  bidirectional ? [forwardName, reverseName] : [forwardName];

/** The parameters of a direction. */
function weightsOf(
  { parameter }: LayerContext,
  { gates, width, units, bias, initializer }: WeightOptions,
  nameOf: Naming,
): RecurrentWeights {
  const columns = gates * units;
  const fans = { fanIn: units, fanOut: columns };
  return {
    weight: parameter(nameOf("weight"), [width, columns], initializer, fans),
    recurrentWeight: parameter(nameOf("recurrentWeight"), [units, columns], initializer, fans),
    ...(bias && {
      bias: parameter(nameOf("bias"), [columns], initializer, fans),
      recurrentBias: parameter(nameOf("recurrentBias"), [columns], initializer, fans),
    }),
  };
}

/** A direction in which a layer reads a sequence. */
interface Direction {
  readonly weights: RecurrentWeights;
  readonly sequences: boolean;
  readonly reverse: boolean;
}

/** Applies all directions. @param place outputs: the size of an output of all directions, and of each tensor of a state */
function appliedBy<State extends RecurrentState>(
  { states, apply, applyWithState }: RecurrentKind<State>,
  directions: readonly Direction[],
  { where, outputs }: { readonly where: string; readonly outputs: number },
) {
  const joined = (tensors: readonly Tensor[]) => concat(tensors, -1);
  const named = (tensorOf: (name: string, index: number) => Tensor) =>
    Object.fromEntries(states.map((name, index) => [name, tensorOf(name, index)])) as unknown as State;
  const each = <Result>(
    x: Tensor,
    { precision, state }: LayerApplyOptions,
    applied: (x: Tensor, weights: RecurrentWeights, options: RecurrentOptions<State>) => Result,
  ): Result[] => {
    const parts =
      state &&
      tensorsOfState(where, state, states, [x.shape[0]!, outputs]).map((one) => split(one, directions.length, 1));
    return directions.map(({ weights, ...options }, index) =>
      applied(x, weights, { ...options, precision, state: parts && named((_, at) => parts[at]![index]!) }),
    );
  };
  return {
    apply: (x: Tensor, options: LayerApplyOptions) => joined(each(x, options, apply)),
    applyWithState(x: Tensor, options: LayerApplyOptions): RecurrentResult<State> {
      const results = each(x, options, applyWithState);
      const stateOf = (name: string) => joined(results.map(({ state }) => state[name as keyof State] as Tensor));
      return { output: joined(results.map(({ output }) => output)), state: named(stateOf) };
    },
  };
}

/** The names of the options of the config of a recurrent layer. */
export const recurrentOptions = {
  options: ["units", "sequences", "bias", "bidirectional"],
  rareOptions: ["bidirectional"],
};

/** The units and the options in a config. */
export function recurrentConfig(config: LayerConfig): [number, RecurrentLayerOptions] {
  const { units, ...options } = optionsOf(config);
  return [units as number, options];
}
