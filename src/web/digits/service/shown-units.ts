/*
 * Chooses the part of a network that the page draws: a few units of each layer.
 */
import { MOST_SHOWN, type ShownLayer } from "../contract.ts";

/** The weights of a dense layer, [inputs, units] in row-major order. */
export interface LayerWeights {
  readonly inputs: number;
  readonly units: number;
  readonly values: Float32Array;
}

/** A shown unit makes way only for one whose influence is this many times larger, so that the picture stays calm. */
const CLEARLY_LARGER = 1.5;

/**
 * The influence of each unit of a hidden layer: the norm of its incoming weights times the norm of its outgoing weights.
 * Neither alone would do, since an activation such as ReLU lets a unit scale one up and the other down.
 */
export function influencesOf(layer: LayerWeights, next: LayerWeights): Float64Array {
  const incoming = new Float64Array(layer.units);
  layer.values.forEach((value, index) => (incoming[index % layer.units]! += value * value));
  return incoming.map((sum, unit) => {
    const outgoing = next.values.subarray(unit * next.units, (unit + 1) * next.units);
    return Math.sqrt(sum * outgoing.reduce((total, value) => total + value * value, 0));
  });
}

/**
 * Up to `MOST_SHOWN` units with the largest influence, in ascending order at first. A unit keeps its place until another
 * one is clearly more influential.
 * @param before the units that are shown now
 */
export function chosenUnits(influences: Float64Array, before: Uint32Array | undefined): Uint32Array<ArrayBuffer> {
  const ranked = [...influences.keys()].sort((a, b) => influences[b]! - influences[a]!).slice(0, MOST_SHOWN);
  if (before === undefined) return Uint32Array.from(ranked.sort((a, b) => a - b));
  const shown = Uint32Array.from(before);
  for (const unit of ranked) {
    if (shown.includes(unit)) continue;
    const weakest = shown.reduce(
      (place, other, at) => (influences[other]! < influences[shown[place]!]! ? at : place),
      0,
    );
    if (influences[unit]! <= CLEARLY_LARGER * influences[shown[weakest]!]!) break;
    shown[weakest] = unit;
  }
  return shown;
}

/**
 * The shown units of each layer, and the weights between them.
 * @param before the units that are shown now, for each hidden layer
 */
export function shownLayers(layers: readonly LayerWeights[], before: readonly Uint32Array[] = []): ShownLayer[] {
  const units = layers.map((layer, index) => {
    const next = layers[index + 1];
    return next
      ? chosenUnits(influencesOf(layer, next), before[index])
      : Uint32Array.from({ length: layer.units }, (_, unit) => unit);
  });
  return layers.map((layer, index) => ({
    count: layer.units,
    units: units[index]!,
    weights: index === 0 ? new Float32Array() : between(layer, units[index - 1]!, units[index]!),
  }));
}

const between = ({ units, values }: LayerWeights, from: Uint32Array, to: Uint32Array): Float32Array =>
  Float32Array.from({ length: from.length * to.length }, (_, index) => {
    const [input, unit] = [from[Math.floor(index / to.length)]!, to[index % to.length]!];
    return values[input * units + unit]!;
  });
