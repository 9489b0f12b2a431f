/*
 * The metadata of model files: texts and JSON by name.
 */
import { DataError, excerpt } from "../errors.ts";
import { parseJson } from "./json.ts";

/** Information for readers. Numbers that are not finite become null in the file. */
export type Facts = Readonly<Record<string, string | number | boolean | null>>;

export const NOT_A_MODEL = "Give a model file that wgrad wrote; `wgrad import` converts files of PyTorch";

/** The entries of the metadata. Each is checked when it is read. */
export class Metadata {
  readonly #entries: Readonly<Record<string, string>>;
  /** The name of the file, for messages. */
  readonly file: string;

  constructor(entries: Readonly<Record<string, string>>, file: string) {
    this.#entries = entries;
    this.file = file;
  }

  has(name: string): boolean {
    return this.#entries[name] !== undefined;
  }

  text<Value extends string>(name: string, isValid: (value: unknown) => value is Value): Value {
    return this.#checked(name, this.#entries[name], isValid);
  }

  json<Value>(name: string, isValid: (value: unknown) => value is Value): Value {
    const text = this.#entries[name];
    const parsed = text === undefined ? { value: undefined } : parseJson(text);
    if ("fault" in parsed) throw this.#refusal(name, parsed.fault);
    return this.#checked(name, parsed.value, isValid);
  }

  #checked<Value>(name: string, value: unknown, isValid: (value: unknown) => value is Value): Value {
    if (value === undefined) throw this.#refusal(name, "is missing");
    if (!isValid(value)) throw this.#refusal(name, `is ${excerpt(value)}, not what wgrad writes`);
    return value;
  }

  #refusal(name: string, what: string): DataError {
    return new DataError({ where: this.file, what: `the metadata's entry "${name}" ${what}`, fix: NOT_A_MODEL });
  }
}

export const isFilled = (value: unknown): value is object => typeof value === "object" && value !== null;

export const isText = (value: unknown): value is string => typeof value === "string";

export const isNames = (value: unknown): value is string[] =>
  Array.isArray(value) && value.length > 0 && value.every((name) => typeof name === "string");

export const isStep = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0;

export const isThreshold = (value: unknown): value is number => typeof value === "number" && value > 0 && value < 1;

export const isFacts = (value: unknown): value is Facts =>
  isFilled(value) && Object.values(value).every((fact) => fact === null || typeof fact !== "object");
