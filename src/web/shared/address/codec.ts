/*
 * How settings are written in a URL. A field knows its fallback and what it may hold; text that is none of that parses
 * to undefined, and the fallback stands in.
 */

export interface Field<Value> {
  readonly fallback: Value;
  format(value: Value): string;
  parse(text: string): Value | undefined;
}

export interface ChoiceField<Value extends string | number> extends Field<Value> {
  readonly values: readonly Value[];
}

/** One of several names or numbers. */
export function choice<const Value extends string | number>(
  values: readonly Value[],
  fallback: NoInfer<Value>,
): ChoiceField<Value> {
  return { values, fallback, format: String, parse: (text) => values.find((value) => String(value) === text) };
}

export interface RangeField extends Field<number> {
  readonly min: number;
  readonly max: number;
  /** From one value of a slider to the next; the URL may say any number between, but whole ones where it is whole. */
  readonly step: number;
}

/** A number in min … max. */
export function range(min: number, max: number, step: number, fallback: number): RangeField {
  const parse = (text: string) => {
    const value = text.trim() === "" ? NaN : Number(text);
    const allowed = value >= min && value <= max && (!Number.isInteger(step) || Number.isInteger(value));
    // The one number that is written as another: -0.
    return allowed ? value + 0 : undefined;
  };
  return { min, max, step, fallback, format: String, parse };
}

/** Digits after the point of a coordinate: 500 of them make a canvas. */
const DECIMALS = 3;

/** A coordinate as it comes back from a URL. */
export const rounded = (value: number): number => Number(value.toFixed(DECIMALS)) + 0;

/** Between the numbers of a point and between points: characters that a URL keeps as they are. */
const [BETWEEN_NUMBERS, BETWEEN_POINTS] = ["_", "*"];

/** A place along either axis and, of classes, a class: 0 or 1. */
export type Point = readonly [x: number, y: number, label: number];

/** Far more than anybody clicks, and a URL that browsers take. */
export const MOST_POINTS = 300;

/** Points within ±extent of the origin; a number outside, or too many points, and none of them are taken. */
export function pointList(extent: number): Field<readonly Point[]> {
  const isPoint = (numbers: readonly number[]): boolean =>
    numbers.length === 3 &&
    numbers.slice(0, 2).every((value) => Math.abs(value) <= extent) &&
    (numbers[2] === 0 || numbers[2] === 1);
  return {
    fallback: [],
    format: (points) => points.map((point) => point.map(rounded).join(BETWEEN_NUMBERS)).join(BETWEEN_POINTS),
    parse(text) {
      if (text === "") return [];
      const points = text.split(BETWEEN_POINTS).map((point) => point.split(BETWEEN_NUMBERS).map((part) => (part === "" ? NaN : Number(part))));
      if (points.length > MOST_POINTS || !points.every(isPoint)) return undefined;
      return points.map(([x, y, label]) => [rounded(x!), rounded(y!), label!] as const);
    },
  };
}

/** A place in the square −1 … 1. */
export function place(fallback: readonly [number, number]): Field<readonly [number, number]> {
  const one = pointList(1);
  return {
    fallback,
    format: ([x, y]) => [x, y].map(rounded).join(BETWEEN_NUMBERS),
    parse(text) {
      const point = one.parse(`${text}${BETWEEN_NUMBERS}0`)?.[0];
      return point && [point[0], point[1]];
    },
  };
}

/** A hidden layer: its width and what is applied to its sums. */
export interface LayerSettings<Activation extends string> {
  readonly units: number;
  readonly activation: Activation;
}

export const MOST_UNITS = 16;
export const MOST_LAYERS = 4;

/** Hidden layers such as "8-tanh_4-relu"; none is "none". */
export function layerList<const Activation extends string>(
  activations: readonly Activation[],
  fallback: readonly LayerSettings<NoInfer<Activation>>[],
): Field<readonly LayerSettings<Activation>[]> {
  const parseLayer = (text: string): LayerSettings<Activation> | undefined => {
    const [unitText, name, ...rest] = text.split("-");
    const units = Number(unitText);
    const activation = activations.find((known) => known === name);
    const allowed = Number.isInteger(units) && units >= 1 && units <= MOST_UNITS && rest.length === 0;
    return allowed && activation !== undefined ? { units, activation } : undefined;
  };
  return {
    fallback,
    format: (layers) => layers.map(({ units, activation }) => `${units}-${activation}`).join("_") || "none",
    parse(text) {
      if (text === "none") return [];
      const layers = text.split("_").map(parseLayer);
      const known = layers.filter((layer) => layer !== undefined);
      return known.length === layers.length && known.length <= MOST_LAYERS ? known : undefined;
    },
  };
}

type Fields = Readonly<Record<string, Field<unknown>>>;

/** What a group of fields holds. */
export type Settings<Group extends Fields> = {
  readonly [Name in keyof Group]: Group[Name] extends Field<infer Value> ? Value : never;
};

export function fallbacks<Group extends Fields>(group: Group): Settings<Group> {
  return Object.fromEntries(Object.entries(group).map(([name, { fallback }]) => [name, fallback])) as Settings<Group>;
}

/** Writes `prefix.name` for each setting that is not its fallback. */
export function formatSettings<Group extends Fields>(params: URLSearchParams, prefix: string, group: Group, values: Settings<Group>): void {
  for (const [name, field] of Object.entries(group)) {
    const { format, fallback } = field;
    const text = format(values[name]);
    if (text !== format(fallback)) params.set(`${prefix}.${name}`, text);
  }
}

/** Reads what `formatSettings` wrote. What is missing has its fallback; what makes no sense has it too, and is named. */
export function parseSettings<Group extends Fields>(params: URLSearchParams, prefix: string, group: Group, faults: string[]): Settings<Group> {
  const entries = Object.entries(group).map(([name, field]) => {
    const key = `${prefix}.${name}`;
    const text = params.get(key);
    const value = text === null ? field.fallback : field.parse(text);
    if (value === undefined) faults.push(`${key}=${text}`);
    return [name, value ?? field.fallback] as const;
  });
  return Object.fromEntries(entries) as Settings<Group>;
}
