/*
 * Settings as parameters of the page's address. A field states its default and what it allows. Text that a field does not
 * allow parses to undefined, and the default is used instead.
 */

export interface Field<Value> {
  readonly fallback: Value;
  /** The name of the parameter, if it differs from the name of the setting. */
  readonly key?: string;
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

/** Yes or no, each with its own word. */
export function flag({ on, off }: { readonly on: string; readonly off: string }, fallback: boolean): Field<boolean> {
  return {
    fallback,
    format: (value) => (value ? on : off),
    parse: (text) => (text === on ? true : text === off ? false : undefined),
  };
}

export interface RangeField extends Field<number> {
  readonly min: number;
  readonly max: number;
  /** The increment of a slider or a number field. If it is whole, only whole numbers are allowed. */
  readonly step: number | "any";
  readonly whole: boolean;
  allows(value: number): boolean;
}

/** A number from `min` to `max`. */
export function range(min: number, max: number, step: number | "any", fallback: number): RangeField {
  const whole = Number.isInteger(step);
  const allows = (value: number) => value >= min && value <= max && (!whole || Number.isInteger(value));
  const parse = (text: string) => {
    const value = text.trim() === "" ? NaN : Number(text);
    // Adding 0 turns -0 into 0, which is how it is formatted.
    return allows(value) ? value + 0 : undefined;
  };
  return { min, max, step, whole, fallback, allows, format: String, parse };
}

/** A field that the address knows by another name than the settings do. */
export const keyed = <Of extends Field<unknown>>(key: string, field: Of): Of => ({ ...field, key });

/** Several values of one kind. An empty list is written as `none`. */
export function list<Value>(
  item: Field<Value>,
  { between, none, most }: { readonly between: string; readonly none: string; readonly most: number },
  fallback: readonly Value[],
): Field<readonly Value[]> {
  return {
    fallback,
    format: (values) => values.map((value) => item.format(value)).join(between) || none,
    parse(text) {
      const values = text === none ? [] : text.split(between).map((part) => item.parse(part));
      const allowed = values.filter((value) => value !== undefined);
      return allowed.length === values.length && allowed.length <= most ? allowed : undefined;
    },
  };
}

/** A fixed number of values, each with its own field. */
export function tuple<Values extends readonly unknown[]>(
  fields: { readonly [Place in keyof Values]: Field<Values[Place]> },
  between: string,
): Field<Values> {
  const known = fields as readonly Field<unknown>[];
  return {
    fallback: known.map(({ fallback }) => fallback) as unknown as Values,
    format: (values) => known.map((field, place) => field.format(values[place])).join(between),
    parse: (text) => parseParts(known, text, between, known.length) as Values | undefined,
  };
}

/** An object such as "128-relu-0.2". Only its first `required` fields are written if the others have their defaults. */
export function record<Group extends Fields>(
  group: Group,
  { between, required }: { readonly between: string; readonly required: number },
): Field<Settings<Group>> {
  const [names, fields] = [Object.keys(group), Object.values(group)];
  return {
    fallback: fallbacks(group),
    format(values) {
      const parts = fields.map((field, place) => field.format(values[names[place]!]));
      while (
        parts.length > required &&
        parts.at(-1) === fields[parts.length - 1]!.format(fields[parts.length - 1]!.fallback)
      )
        parts.pop();
      return parts.join(between);
    },
    parse(text) {
      const values = parseParts(fields, text, between, required);
      return values && (Object.fromEntries(names.map((name, place) => [name, values[place]])) as Settings<Group>);
    },
  };
}

function parseParts(
  fields: readonly Field<unknown>[],
  text: string,
  between: string,
  required: number,
): unknown[] | undefined {
  const parts = text.split(between);
  if (parts.length < required) return undefined;
  const last = fields.length - 1;
  // The last part may contain the separator, such as the minus sign of 1e-7.
  if (parts.length > last) parts.push(parts.splice(last).join(between));
  const values = fields.map((field, place) =>
    parts[place] === undefined ? field.fallback : field.parse(parts[place]),
  );
  return values.includes(undefined) ? undefined : values;
}

type Fields = Readonly<Record<string, Field<unknown>>>;

/** The values of a group of fields. */
export type Settings<Group extends Fields> = {
  readonly [Name in keyof Group]: Group[Name] extends Field<infer Value> ? Value : never;
};

/** The default of each field. */
export function fallbacks<Group extends Fields>(group: Group): Settings<Group> {
  return Object.fromEntries(Object.entries(group).map(([name, { fallback }]) => [name, fallback])) as Settings<Group>;
}

const keysOf = (group: Fields, prefix: string) =>
  Object.entries(group).map(([name, field]) => [name, field, prefix + (field.key ?? name)] as const);

/** Writes the settings that differ from their defaults, or all of them. The prefix precedes the name of each parameter. */
export function writeFields<Group extends Fields>(
  params: URLSearchParams,
  group: Group,
  values: Settings<Group>,
  { prefix = "", all = false }: { readonly prefix?: string; readonly all?: boolean } = {},
): void {
  for (const [name, field, key] of keysOf(group, prefix)) {
    const text = field.format(values[name]);
    if (all || text !== field.format(field.fallback)) params.set(key, text);
  }
}

/** Reads what `writeFields` wrote. A missing setting gets its default; so does one that is not allowed, and it is added to `faults`. */
export function readFields<Group extends Fields>(
  params: URLSearchParams,
  group: Group,
  faults: string[],
  prefix = "",
): Settings<Group> {
  const entries = keysOf(group, prefix).map(([name, field, key]) => {
    const text = params.get(key);
    const value = text === null ? field.fallback : field.parse(text);
    if (value === undefined) faults.push(`${key}=${text}`);
    return [name, value ?? field.fallback] as const;
  });
  return Object.fromEntries(entries) as Settings<Group>;
}

/** The parameters that no group of fields knows, as "key=text". */
export function unknownParameters(params: URLSearchParams, groups: Readonly<Record<string, Fields>>): string[] {
  const known = new Set(
    Object.entries(groups).flatMap(([prefix, group]) => keysOf(group, prefix).map(([, , key]) => key)),
  );
  return [...params].filter(([key]) => !known.has(key)).map(([key, text]) => `${key}=${text}`);
}
