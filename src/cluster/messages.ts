/*
 * Messages are JSON objects from processes that may be hostile, or have another version. Nothing of them is used before
 * it was checked.
 */
import { DataError, excerpt } from "../errors.ts";
import { parseJson } from "../formats/json.ts";

/** A message that is refused. */
export class MessageError extends DataError {}

const decoder = new TextDecoder("utf-8", { fatal: true });

/** A digest as `sha256` returns it. */
export const DIGEST = /^[0-9a-f]{64}$/;

/** Writes a message as JSON. */
export const messageBytes = (message: object): Uint8Array => new TextEncoder().encode(JSON.stringify(message));

/** Reads the fields of an object. Each method throws a MessageError that names the field. */
export class MessageFields {
  readonly #where: string;
  readonly #fields: Readonly<Record<string, unknown>>;

  /** @param allowed the names of all fields that the object may have */
  constructor(where: string, value: unknown, allowed: readonly string[]) {
    this.#where = where;
    if (typeof value !== "object" || value === null || Array.isArray(value))
      throw this.#refuse("this is not an object");
    const unknown = Object.keys(value).find((name) => !allowed.includes(name));
    if (unknown !== undefined) throw this.#refuse(`there is no field ${excerpt(unknown)}`);
    this.#fields = value as Readonly<Record<string, unknown>>;
  }

  /** Whether the object has the field. */
  has(name: string): boolean {
    return Object.hasOwn(this.#fields, name);
  }

  /** A field that must have this value. */
  literal(name: string, wanted: string | number): void {
    if (this.#value(name) !== wanted) throw this.#invalid(name, JSON.stringify(wanted));
  }

  /** A text that matches the pattern. */
  text(name: string, pattern: RegExp): string {
    const value = this.#value(name);
    if (typeof value !== "string" || !pattern.test(value))
      throw this.#invalid(name, `a text such as ${pattern.source}`);
    return value;
  }

  /** One of several texts. */
  oneOf<Name extends string>(name: string, names: readonly Name[]): Name {
    const found = names.find((each) => each === this.#value(name));
    if (found === undefined) throw this.#invalid(name, `one of ${names.join(", ")}`);
    return found;
  }

  /** A whole number in a range. */
  whole(name: string, least: number, most: number): number {
    const value = this.#value(name);
    if (typeof value !== "number" || !Number.isSafeInteger(value) || value < least || value > most)
      throw this.#invalid(name, `a whole number from ${least} to ${most}`);
    return value;
  }

  /** A finite number. JSON has no others, but 1e999 becomes infinity. */
  finite(name: string): number {
    const value = this.#value(name);
    if (typeof value !== "number" || !Number.isFinite(value)) throw this.#invalid(name, "a finite number");
    return value;
  }

  /** A finite number or null. */
  finiteOrNull(name: string): number | null {
    return this.#value(name) === null ? null : this.finite(name);
  }

  /** True or false. */
  flag(name: string): boolean {
    const value = this.#value(name);
    if (typeof value !== "boolean") throw this.#invalid(name, "true or false");
    return value;
  }

  /** Whether a field is a text. */
  isText(name: string): boolean {
    return typeof this.#value(name) === "string";
  }

  /** A list of finite numbers. */
  numbers(name: string, most: number): number[] {
    return this.list(name, most, (value, where) => {
      if (typeof value === "number" && Number.isFinite(value)) return value;
      throw new MessageError({ where, what: `this is ${excerpt(value)}, not a finite number` });
    });
  }

  /** Whether a field is null. */
  isNull(name: string): boolean {
    return this.#value(name) === null;
  }

  /** An object whose keys match the pattern. Its values are not checked. */
  record(name: string, keys: RegExp, most: number): Record<string, unknown> {
    const value = this.#value(name);
    if (typeof value !== "object" || value === null || Array.isArray(value)) throw this.#invalid(name, "an object");
    const entries = Object.entries(value);
    if (entries.length > most || !entries.every(([key]) => keys.test(key)))
      throw this.#invalid(name, `an object of at most ${most} fields`);
    return Object.fromEntries(entries);
  }

  /** A list whose elements `read` checks. */
  list<Element>(name: string, most: number, read: (value: unknown, where: string) => Element): Element[] {
    const value = this.#value(name);
    if (!Array.isArray(value) || value.length > most) throw this.#invalid(name, `a list of at most ${most} elements`);
    return value.map((element, index) => read(element, `${this.#where}, ${name} ${index + 1}`));
  }

  /** The fields of an object in this one. */
  object(name: string, allowed: readonly string[]): MessageFields {
    return new MessageFields(`${this.#where}, ${name}`, this.#value(name), allowed);
  }

  #value(name: string): unknown {
    return Object.hasOwn(this.#fields, name) ? this.#fields[name] : undefined;
  }

  #invalid(name: string, wanted: string): MessageError {
    return this.#refuse(`${name} is ${excerpt(this.#value(name))}, not ${wanted}`);
  }

  #refuse(what: string): MessageError {
    return new MessageError({ where: this.#where, what });
  }
}

/**
 * Reads a message.
 * @param most the maximum number of bytes
 * @throws MessageError if it is larger, or not an object in JSON with these fields only
 */
export function readMessage(
  where: string,
  bytes: Uint8Array,
  { most, allowed }: { readonly most: number; readonly allowed: readonly string[] },
): MessageFields {
  const refuse = (what: string) => new MessageError({ where, what });
  if (bytes.length > most) throw refuse(`the message has ${bytes.length} bytes, more than ${most}`);
  const parsed = parseJson(textOf(bytes) ?? "");
  if ("fault" in parsed) throw refuse(`the message ${parsed.fault}`);
  return new MessageFields(where, parsed.value, allowed);
}

function textOf(bytes: Uint8Array): string | undefined {
  try {
    return decoder.decode(bytes);
  } catch {
    return undefined;
  }
}

/** SHA-256 in hexadecimal. */
export async function sha256(bytes: Uint8Array): Promise<string> {
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes as Uint8Array<ArrayBuffer>));
  return Array.from(digest, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** The name of a description: the start of its digest. */
export const nameOfBytes = async (bytes: Uint8Array): Promise<string> => (await sha256(bytes)).slice(0, 12);

/** @throws MessageError for a description that does not have the digest that names it */
export async function requireNameOf(where: string, name: string, bytes: Uint8Array): Promise<void> {
  if ((await nameOfBytes(bytes)) === name) return;
  throw new MessageError({ where, what: "the description does not have the digest that names it" });
}
