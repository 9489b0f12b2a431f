/*
 * An option is declared once, with everything that the command line needs to know about it: its flags, its values, and
 * the facts that checkpoints, sweeps, path checks and messages depend on. None of those has a list of options of its own.
 */
import { Option } from "commander";

/** What the command line knows about an option besides its values. */
export interface OptionFacts {
  /** Whether the option names a file that the command reads or writes, or a folder that it writes to. */
  readonly file?: "input" | "output";
  /** Whether the option may be repeated, each time adding to its values. */
  readonly isRepeatable: boolean;
  /** The other options that must be given with this one, by their attribute names. */
  readonly needs: readonly string[];
  /** Names of the option in messages of the library, besides its attribute name. */
  readonly libraryNames: readonly string[];
  /** For values that exist only in the library: the values of this option that correspond to them. */
  readonly libraryValues: ReadonlyMap<unknown, readonly string[]>;
  /** Whether values may contain commas, so that only semicolons separate the values of a sweep. */
  readonly hasCommas: boolean;
  /** Whether a switch that is not given is detected from the data, rather than off. */
  readonly isDetected: boolean;
  /** Whether training depends on the option, so that a resumed run must have the same value. */
  readonly isIdentity: boolean;
  /** Whether the training examples depend on the option. */
  readonly selectsData: boolean;
  /** Whether the option has a meaning for training on text. */
  readonly suitsText: boolean;
  /** Whether the option has a meaning for a cross-validation, which trains a model for each fold and keeps none. */
  readonly suitsFolds: boolean;
  /** Whether the option may end a run before its last step. */
  readonly stopsEarly: boolean;
  /** Whether the option may vary between the runs of a sweep, is shared by all of them, or is not an option of sweeps. */
  readonly sweep: "varied" | "shared" | "none";
}

const usualFacts: OptionFacts = {
  isRepeatable: false,
  needs: [],
  libraryNames: [],
  libraryValues: new Map(),
  hasCommas: false,
  isDetected: false,
  isIdentity: true,
  selectsData: false,
  suitsText: true,
  suitsFolds: true,
  stopsEarly: false,
  sweep: "varied",
};

/** An option with its facts. */
export class DeclaredOption extends Option {
  /** The defaults are right for most options; `withFacts` changes them. */
  facts = usualFacts;

  /** Sets facts. Returns the option, as Commander's own methods do. */
  withFacts(facts: Partial<OptionFacts>): this {
    this.facts = { ...this.facts, ...facts };
    return this;
  }

  /** The option's name in messages, such as "--lr". */
  get flag(): string {
    return this.long ?? this.flags;
  }

  /**
   * The option with a value in command-line syntax, such as "--lr 0.01", for messages.
   * @returns undefined if the value means that the option is not given
   */
  written(value: unknown, quote: (text: string) => string): string | undefined {
    if (value === undefined || value === null) return undefined;
    if (typeof value === "boolean") return value === this.negate ? undefined : this.flag;
    return `${this.flag} ${quote(Array.isArray(value) ? value.join(",") : String(value))}`;
  }
}

/** An option that can also be set in a configuration file, under its attribute name. */
export class SettableOption extends DeclaredOption {
  readonly schema: ValueSchema;
  /** Writes a value of a configuration file as on the command line. By default lists are joined by commas. */
  textOf = (value: unknown): string => (Array.isArray(value) ? value.join(",") : String(value));

  constructor(flags: string, description: string, schema: ValueSchema) {
    super(flags, description);
    this.schema = schema;
  }

  /** Sets `textOf`. Returns the option, as Commander's own methods do. */
  writtenBy(textOf: (value: unknown) => string): this {
    this.textOf = textOf;
    return this;
  }
}

/** The JSON Schema of an option's value in a configuration file. */
export interface ValueSchema {
  readonly type?: string;
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly anyOf?: readonly ValueSchema[];
  readonly items?: ValueSchema;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly exclusiveMinimum?: number;
  readonly exclusiveMaximum?: number;
  readonly minLength?: number;
  readonly pattern?: string;
  /** Values that match the pattern. */
  readonly examples?: readonly string[];
}

/** The alternatives of a schema: its `anyOf`, or itself. */
export const alternatives = (schema: ValueSchema): readonly ValueSchema[] => schema.anyOf ?? [schema];

/** A schema of a list in words, by the type of its elements. */
const listTexts: Readonly<Record<string, string>> = {
  string: 'a list of strings, such as ["id", "name"]',
  integer: "a list of whole numbers of at least 1, such as [128, 64]",
  number: "a list of numbers of at least 0, such as [1, 2.5]",
  object: 'a list of layers, such as [{"type": "dense", "units": 10}]',
};

/** A schema in words, such as "a whole number of at least 1". */
export function wantedText(schema: ValueSchema): string {
  const { type, minimum, maximum, exclusiveMinimum, exclusiveMaximum } = schema;
  if (schema.anyOf) return schema.anyOf.map(wantedText).join(" or ");
  if (schema.enum) return `one of ${schema.enum.map((name) => JSON.stringify(name)).join(", ")}`;
  if (schema.const !== undefined) return JSON.stringify(schema.const);
  if (type === "array") return listTexts[schema.items?.type ?? "integer"]!;
  if (type === "boolean") return "true or false";
  if (type === "string") {
    const examples = schema.examples?.map((text) => JSON.stringify(text)).join(" or ");
    return examples === undefined ? "a non-empty string" : `a string such as ${examples}`;
  }
  const kind = type === "integer" ? "a whole number" : "a number";
  if (maximum !== undefined) return `${kind} from ${minimum} to ${maximum}`;
  if (exclusiveMaximum !== undefined)
    return `${kind} in ${minimum === undefined ? `(${exclusiveMinimum}` : `[${minimum}`}, ${exclusiveMaximum})`;
  return exclusiveMinimum === undefined ? `${kind} of at least ${minimum}` : `${kind} above ${exclusiveMinimum}`;
}
