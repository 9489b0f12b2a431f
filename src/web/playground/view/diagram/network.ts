/*
 * The network of a mode as columns of units, and the values of its parameters in a frame.
 */
import type { Frame, ParameterPlace } from "../../contract.ts";
import { curveFeatures, planeFeatures, type InputFeature } from "../../features.ts";
import { change, playgroundState, unitsFrame } from "../../state/index.ts";

export type NetworkMode = "classify" | "regress";

/** A unit of a column: 0 for the inputs, then the hidden layers, and the output last. */
export interface UnitId {
  readonly column: number;
  readonly unit: number;
}

/** The network of a mode. Its first column has all inputs that may be chosen. */
export interface Network {
  readonly mode: NetworkMode;
  readonly features: readonly InputFeature[];
  /** The inputs that are chosen, as positions in `features`. */
  readonly inputs: readonly number[];
  /** The number of units of each column. */
  readonly columns: readonly number[];
}

const allFeatures: Readonly<Record<NetworkMode, Readonly<Record<string, InputFeature>>>> = {
  classify: planeFeatures,
  regress: curveFeatures,
};

export function networkOf(mode: NetworkMode): Network {
  const { layers, features: chosen } = playgroundState.value[mode];
  const all = allFeatures[mode];
  const names = Object.keys(all);
  return {
    mode,
    features: Object.values(all),
    inputs: chosen.map((name) => names.indexOf(name)),
    columns: [names.length, ...layers.map(({ units }) => units), 1],
  };
}

/** Chooses an input, or no longer. The last one stays. */
export function toggleInput(mode: NetworkMode, feature: number): void {
  const names = Object.keys(allFeatures[mode]);
  const { inputs } = networkOf(mode);
  const next = names.filter((_, index) => inputs.includes(index) !== (index === feature));
  if (next.length > 0) change(mode, { features: next as never });
}

/** The newest values of a network; undefined before the first ones. */
export const frameOf = (mode: NetworkMode): Frame | undefined =>
  unitsFrame.value?.mode === mode ? unitsFrame.value : undefined;

export const unitExists = ({ columns }: Network, { column, unit }: UnitId): boolean => unit < (columns[column] ?? 0);

export function unitName({ columns, features }: Network, { column, unit }: UnitId): string {
  if (column === 0) return `Input ${features[unit]!.label}`;
  return column === columns.length - 1 ? "Output" : `Unit ${unit + 1} of hidden layer ${column}`;
}

/** The number of inputs of a column's units. */
export const inputCount = ({ columns, inputs }: Network, column: number): number =>
  column === 1 ? inputs.length : columns[column - 1]!;

/** The unit that a parameter belongs to. */
export const ownerOf = ({ layer, unit }: ParameterPlace): UnitId => ({ column: layer + 1, unit });

/** The unit whose value a weight multiplies. */
export const sourceOf = ({ inputs }: Network, layer: number, input: number): UnitId => ({
  column: layer,
  unit: layer === 0 ? inputs[input]! : input,
});

export const parameterExists = (network: Network, place: ParameterPlace): boolean =>
  unitExists(network, ownerOf(place)) && (place.input ?? 0) < inputCount(network, place.layer + 1);

/** "Bias" or, for a weight, what it multiplies: "Weight of x". */
export function parameterTitle(network: Network, { layer, input }: ParameterPlace): string {
  if (input === undefined) return "Bias";
  if (layer === 0) return `Weight of ${network.features[network.inputs[input]!]!.label}`;
  return `Weight of unit ${input + 1} of hidden layer ${layer}`;
}

/**
 * The value of a parameter; undefined before the first frame and after a change of the layers. With two outputs, the
 * probability of class 1 depends on their difference, which is also that of their parameters.
 */
export function valueAt({ columns }: Network, frame: Frame | undefined, place: ParameterPlace): number | undefined {
  const { layer, unit, input } = place;
  const [biases, weights] = [frame?.biases[layer], frame?.weights[layer]];
  if (!biases || !weights) return undefined;
  const values = input === undefined ? biases : weights;
  const row = (input ?? 0) * biases.length;
  const isPair = layer === columns.length - 2 && biases.length === 2;
  if (isPair) return values[row + 1]! - values[row]!;
  return biases.length === columns[layer + 1] ? values[row + unit] : undefined;
}
