/*
 * An option is declared once, with everything that the command line needs to know of it: how it is written, which values
 * it takes, and the facts that checkpoints, sweeps, checks of paths and messages depend on. None of them names options.
 */
import { Option } from "commander";

/** What the command line knows of an option besides its values. */
export interface OptionFacts {
  /** Whether the option names a file that the command reads or writes, or a folder that it writes to. */
  readonly file?: "input" | "output";
  /** Whether the option may be repeated, each time adding to its values. */
  readonly isRepeatable: boolean;
  /** The other options that must be given with this one, by their attribute names. */
  readonly needs: readonly string[];
  /** What messages of the library call the option, besides its attribute name. */
  readonly libraryNames: readonly string[];
  /** For values that only the library has: the values of this option that stand for them. */
  readonly libraryValues: ReadonlyMap<unknown, readonly string[]>;
  /** Whether a switch that is not given leaves the choice to the data, rather than being off. */
  readonly isDetected: boolean;
  /** Whether training steps depend on the option, so that a resumed run must have the same value. */
  readonly isIdentity: boolean;
  /** Whether the examples that are trained on depend on the option. */
  readonly selectsData: boolean;
  /** Whether the runs of a sweep may differ in the option, must share it, or do not have it. */
  readonly sweep: "varied" | "shared" | "none";
}

const usualFacts: OptionFacts = {
  isRepeatable: false,
  needs: [],
  libraryNames: [],
  libraryValues: new Map(),
  isDetected: false,
  isIdentity: true,
  selectsData: false,
  sweep: "varied",
};

/** An option with its facts. */
export class DeclaredOption extends Option {
  /** Facts that `withFacts` did not give have the value that suits most options. */
  facts = usualFacts;

  /** Declares facts. Returns the option, as Commander's own methods do. */
  withFacts(facts: Partial<OptionFacts>): this {
    this.facts = { ...this.facts, ...facts };
    return this;
  }

  /** The option as messages name it, such as "--lr". */
  get flag(): string {
    return this.long ?? this.flags;
  }

  /**
   * The option with a value as a user would write it, such as "--lr 0.01", for messages.
   * @returns undefined where the value means that the option is not given
   */
  written(value: unknown, quote: (text: string) => string): string | undefined {
    if (value === undefined || value === null) return undefined;
    if (typeof value === "boolean") return value === this.negate ? undefined : this.flag;
    return `${this.flag} ${quote(Array.isArray(value) ? value.join(",") : String(value))}`;
  }
}

/** An option that a configuration file may give as well, under its attribute name. */
export class SettableOption extends DeclaredOption {
  readonly schema: ValueSchema;

  constructor(flags: string, description: string, schema: ValueSchema) {
    super(flags, description);
    this.schema = schema;
  }
}

/** What a configuration file may give for an option, as JSON Schema says it. */
export type ValueSchema = Readonly<Record<string, unknown>>;

/** What a schema wants, in words, such as "a whole number of at least 1". */
export function wantedText(schema: ValueSchema): string {
  const {
    type,
    enum: names,
    const: only,
    anyOf,
    items,
    minimum,
    maximum,
    exclusiveMinimum,
    exclusiveMaximum,
    pattern,
  } = schema as SchemaParts;
  if (anyOf) return anyOf.map(wantedText).join(" or ");
  if (names) return `one of ${names.map((name) => JSON.stringify(name)).join(", ")}`;
  if (only !== undefined) return JSON.stringify(only);
  if (type === "array")
    return items?.type === "string"
      ? 'a list of texts, such as ["id", "name"]'
      : "a list of whole numbers of at least 1, such as [128, 64]";
  if (type === "boolean") return "true or false";
  if (type === "string") return pattern === undefined ? "a text that is not empty" : 'a text such as "25" or "5s"';
  const kind = type === "integer" ? "a whole number" : "a number";
  if (maximum !== undefined) return `${kind} in ${minimum} … ${maximum}`;
  if (exclusiveMaximum !== undefined) return `${kind} in [${minimum}, ${exclusiveMaximum})`;
  return exclusiveMinimum === undefined ? `${kind} of at least ${minimum}` : `${kind} above ${exclusiveMinimum}`;
}

interface SchemaParts {
  readonly type?: string;
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly anyOf?: readonly ValueSchema[];
  readonly items?: { readonly type?: string };
  readonly minimum?: number;
  readonly maximum?: number;
  readonly exclusiveMinimum?: number;
  readonly exclusiveMaximum?: number;
  readonly pattern?: string;
}
