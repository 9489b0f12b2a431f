/*
 * Parsers for the values of options. An invalid text is refused with an OptionError that names the option, the text and
 * the valid values.
 */
import { extname } from "node:path";
import { excerpt, OptionError } from "../../errors.ts";
import { isPositiveFloat32, POSITIVE_FLOAT32_RANGE } from "../../float32.ts";
import { choiceOf } from "../../choices.ts";

type Parser<Value> = (text: string) => Value;

/** Parses a whole number from `least` to `most`. */
export function wholeNumber(flag: string, least: number, most = Number.MAX_SAFE_INTEGER): Parser<number> {
  const range =
    most < Number.MAX_SAFE_INTEGER ? `a whole number from ${least} to ${most}` : `a whole number of at least ${least}`;
  return (text) => {
    const value = Number(text);
    if (!/^\d+$/.test(text) || value < least || value > most) {
      throw new OptionError({ where: flag, what: `${excerpt(text)} is out of range`, fix: `Give ${range}` });
    }
    return value;
  };
}

/** Parses a number above 0 that float32 can represent. */
export function positiveNumber(flag: string): Parser<number> {
  return (text) => {
    const value = Number(text);
    if (!isPositiveFloat32(value)) {
      const what = `${excerpt(text)} is out of range`;
      throw new OptionError({ where: flag, what, fix: `Give ${POSITIVE_FLOAT32_RANGE}, such as 0.002` });
    }
    return value;
  };
}

/** Parses 0, or a number above 0 that float32 can represent. */
export function atLeastZero(flag: string): Parser<number> {
  return (text) => (Number(text) === 0 && text.trim() !== "" ? 0 : positiveNumber(flag)(text));
}

/** Parses one of several names. */
export function oneOf<Name extends string>(flag: string, names: readonly Name[]): Parser<Name> {
  return (text) => {
    const found = names.find((name) => name === text);
    if (found !== undefined) return found;
    const what = `there is no ${flag.replace("--", "")} ${excerpt(text)}`;
    throw new OptionError({ where: flag, what, fix: choiceOf(text, names) });
  };
}

/** Parses the widths of hidden layers, such as "128,64". "none" and the empty text mean no hidden layer. */
export function widths(flag: string): Parser<number[]> {
  return (text) => {
    if (text === "" || text === "none") return [];
    const parts = text.split(",").map((part) => part.trim());
    const wrong = parts.find((part) => !/^\d+$/.test(part) || Number(part) < 1);
    if (wrong !== undefined) {
      const what = `${excerpt(wrong)} is not a positive whole number`;
      throw new OptionError({
        where: flag,
        what,
        fix: "Give whole numbers of at least 1, separated by commas, or none",
      });
    }
    return parts.map(Number);
  };
}

/** Parses numbers of at least 0, separated by commas. */
export function weightList(flag: string, text: string): number[] {
  const parts = text.split(",").map((part) => part.trim());
  const wrong = parts.find((part) => part === "" || !(Number(part) >= 0 && Number(part) < Infinity));
  if (wrong === undefined) return parts.map(Number);
  const what = `${excerpt(wrong)} is not a weight`;
  throw new OptionError({ where: flag, what, fix: "Give numbers of at least 0, such as 1,2.5, or balanced or none" });
}

/** Parses a batch size, or "full" for all examples. */
export function batchSize(flag: string): Parser<number | "full"> {
  return (text) => {
    if (text === "full") return text;
    try {
      return wholeNumber(flag, 1)(text);
    } catch {
      const what = `${excerpt(text)} is not a batch size`;
      throw new OptionError({
        where: flag,
        what,
        fix: 'Give a whole number of at least 1, or "full" for all examples',
      });
    }
  };
}

/** Parses columns by name or position, separated by commas, and appends them to those of earlier uses of the option. */
export function columnList(text: string, before: readonly string[] = []): string[] {
  return [
    ...before,
    ...text
      .split(",")
      .map((part) => part.trim())
      .filter((part) => part !== ""),
  ];
}

/** Endings of other formats, and what they are called. */
const OTHER_FORMATS: Readonly<Record<string, string>> = {
  ".onnx": "ONNX",
  ".pt": "a PyTorch file",
  ".pth": "a PyTorch file",
  ".h5": "a Keras file",
  ".keras": "a Keras file",
  ".gguf": "GGUF",
};

/** Parses the path of a model file, which is not one of another format. */
export function modelPath(flag: string): Parser<string> {
  return (path) => {
    const other = OTHER_FORMATS[extname(path).toLowerCase()];
    if (other === undefined) return path;
    throw new OptionError({
      where: flag,
      what: `${path}: the model is written as safetensors, not as ${other}`,
      fix: "Give a path that ends in .safetensors; `wgrad export` writes ONNX, and safetensors for PyTorch",
    });
  };
}
