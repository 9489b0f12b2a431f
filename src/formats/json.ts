/*
 * JSON from untrusted files. `JSON.parse` silently takes the last of two equal keys, so two programs may read the same
 * text differently; and a text of nothing but brackets becomes a value of many times its size. Both are detected before
 * parsing.
 */

import { shortened } from "../text.ts";

/** More levels than wgrad ever writes. */
const MOST_LEVELS = 16;

/**
 * The maximum number of objects, lists and strings, including keys, of up to about 100 bytes each. Numbers take 8
 * bytes.
 */
const MOST_PARTS = 100_000;

/**
 * The maximum number of members of objects and lists. Most are numbers, such as normalization constants of many
 * features.
 */
const MOST_MEMBERS = 1_000_000;

/** The value of a text, or the reason why it has none, which continues a sentence: "is not JSON: …". */
export type ParsedJson = { readonly value: unknown } | { readonly fault: string };

/**
 * Parses JSON without duplicate keys, with at most 16 levels, 100,000 objects, lists and strings, and a million commas.
 */
export function parseJson(text: string): ParsedJson {
  try {
    const fault = findFault(text);
    return fault === undefined ? { value: JSON.parse(text) as unknown } : { fault };
  } catch (error) {
    return { fault: `is not JSON: ${(error as Error).message}` };
  }
}

/**
 * Whether a value is JSON as it is, with at most 16 levels: null, booleans, finite numbers, strings, lists, and plain
 * objects, whose undefined members do not count.
 */
export function isJson(value: unknown, levels = MOST_LEVELS): boolean {
  if (value === null || typeof value === "boolean" || typeof value === "string") return true;
  if (typeof value !== "object") return Number.isFinite(value);
  if (levels === 0) return false;
  if (Array.isArray(value)) return value.every((member) => isJson(member, levels - 1));
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null) return false;
  return Object.values(value).every((member) => member === undefined || isJson(member, levels - 1));
}

const [QUOTE, BACKSLASH, COLON, COMMA] = [0x22, 0x5c, 0x3a, 0x2c];
const [OPEN_LIST, CLOSE_LIST, OPEN_OBJECT, CLOSE_OBJECT] = [0x5b, 0x5d, 0x7b, 0x7d];

/**
 * Finds faults that `JSON.parse` accepts. Invalid JSON may pass here.
 * @throws SyntaxError for an invalid key
 */
function findFault(text: string): string | undefined {
  // One entry per open object or list. Lists have no keys.
  const open: (Set<string> | undefined)[] = [];
  let [parts, members] = [0, 0];
  let lastText = "";
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === QUOTE) {
      const end = endOfText(text, at);
      lastText = text.slice(at, end);
      at = end - 1;
      parts++;
    } else if (code === OPEN_OBJECT || code === OPEN_LIST) {
      open.push(code === OPEN_OBJECT ? new Set() : undefined);
      parts++;
    } else if (code === CLOSE_OBJECT || code === CLOSE_LIST) open.pop();
    else if (code === COMMA) members++;
    else if (code === COLON) {
      const key = JSON.parse(lastText) as string;
      if (open.at(-1)?.has(key)) return `has the key ${shortened(lastText)} twice`;
      open.at(-1)?.add(key);
    }
    if (open.length > MOST_LEVELS) return `has more than ${MOST_LEVELS} levels`;
    if (members > MOST_MEMBERS) return `has more than ${MOST_MEMBERS} values`;
    if (parts > MOST_PARTS) return `has more than ${MOST_PARTS} objects, lists and strings`;
  }
  return undefined;
}

/** The index after the closing quote of the string that starts at `start`. */
function endOfText(text: string, start: number): number {
  for (let from = start + 1; ;) {
    const quote = text.indexOf('"', from);
    if (quote < 0) return text.length;
    let escapes = 0;
    while (text.charCodeAt(quote - 1 - escapes) === BACKSLASH) escapes++;
    if (escapes % 2 === 0) return quote + 1;
    from = quote + 1;
  }
}
