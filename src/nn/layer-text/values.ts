/*
 * How the values of options are written: numbers, true and false, names, and sizes such as 3x3, whose parts may be pairs
 * such as 0:1.
 */
import type { ConfigValue } from "../layers/layer.ts";

const NUMBER = /^-?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?$/i;
const SIZES = /^\d+(?::\d+)?(?:x\d+(?::\d+)?)*$/i;

/** Whether a word is a number or sizes, rather than a name. */
export const isNumeric = (word: string): boolean => NUMBER.test(word) || SIZES.test(word.replaceAll("×", "x"));

/** The value that a word stands for: a number, a list of sizes, a boolean, or the word itself. */
export function valueOf(word: string): ConfigValue {
  if (NUMBER.test(word)) return Number(word);
  if (isNumeric(word)) return word.split(/[x×]/i).map(sizesOf);
  return word === "true" || word === "false" ? word === "true" : word;
}

const sizesOf = (part: string): ConfigValue => (part.includes(":") ? part.split(":").map(Number) : Number(part));

/** A value as a word, with all its sizes: 3x3. */
export function fullText(value: ConfigValue): string {
  if (!Array.isArray(value)) return String(value);
  return (value as readonly ConfigValue[])
    .map((part) => (Array.isArray(part) ? part.join(":") : String(part as number)))
    .join("x");
}

/** A value as a word. Equal sizes are written once: 2 instead of 2x2. */
export const shortText = (value: ConfigValue): string => fullText(withoutRepeats(value));

function withoutRepeats(value: ConfigValue): ConfigValue {
  if (!Array.isArray(value)) return value;
  const parts = (value as readonly ConfigValue[]).map(withoutRepeats);
  const areNumbers = parts.every((part) => typeof part === "number");
  if (areNumbers) return new Set(parts).size === 1 ? parts[0]! : parts;
  // [[1, 1], [2, 2]] is 1x2, but of [[1, 1], [0, 1]] both pairs are needed.
  return value;
}
