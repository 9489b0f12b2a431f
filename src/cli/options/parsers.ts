/*
 * How the text of an option becomes its value. A text that cannot is refused with an OptionError that names the option,
 * the text and what is allowed.
 */
import { excerpt, OptionError } from "../../errors.ts";
import { isPositiveFloat32, POSITIVE_FLOAT32_RANGE } from "../../float32.ts";
import { nearest } from "./nearest.ts";

type Parser<Value> = (text: string) => Value;

/** A whole number of at least `least`. */
export function wholeNumber(flag: string, least: number, most = Number.MAX_SAFE_INTEGER): Parser<number> {
  const range =
    most < Number.MAX_SAFE_INTEGER ? `a whole number in ${least} … ${most}` : `a whole number of at least ${least}`;
  return (text) => {
    const value = Number(text);
    if (!/^\d+$/.test(text) || value < least || value > most) {
      throw new OptionError({ where: flag, what: `${excerpt(text)} is out of range`, fix: `Give ${range}` });
    }
    return value;
  };
}

/** A number above 0 that float32 holds. */
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

/** A finite number of at least 0. */
export function atLeastZero(flag: string): Parser<number> {
  return (text) => (Number(text) === 0 && text.trim() !== "" ? 0 : positiveNumber(flag)(text));
}

/** One of several names; the flag without its dashes says of what. */
export function oneOf<Name extends string>(flag: string, names: readonly Name[]): Parser<Name> {
  return (text) => {
    const found = names.find((name) => name === text);
    if (found !== undefined) return found;
    const near = nearest(text, names);
    throw new OptionError({
      where: flag,
      what: `there is no ${flag.replace("--", "")} ${excerpt(text)}`,
      fix: `${near === undefined ? "" : `Did you mean ${near}? `}Choose one of ${names.join(", ")}`,
    });
  };
}

/** Widths of hidden layers, such as "128,64"; none for "none" and the empty text. */
export function widths(flag: string): Parser<number[]> {
  return (text) => {
    if (text === "" || text === "none") return [];
    const parts = text.split(",").map((part) => part.trim());
    const wrong = parts.find((part) => !/^\d+$/.test(part) || Number(part) < 1);
    if (wrong !== undefined) {
      const what = `${excerpt(wrong)} is no width of a layer`;
      throw new OptionError({
        where: flag,
        what,
        fix: "Give whole numbers of at least 1 with commas between, or none",
      });
    }
    return parts.map(Number);
  };
}

/** A number of examples, or all of them. */
export function batchSize(flag: string): Parser<number | "full"> {
  return (text) => {
    if (text === "full") return text;
    try {
      return wholeNumber(flag, 1)(text);
    } catch {
      const what = `${excerpt(text)} is no number of examples`;
      throw new OptionError({ where: flag, what, fix: 'Give a whole number of at least 1, or "full" for all of them' });
    }
  };
}

/** Columns by name or position, with commas between; those of a repeated option are added. */
export function columnList(text: string, before: readonly string[] = []): string[] {
  return [
    ...before,
    ...text
      .split(",")
      .map((part) => part.trim())
      .filter((part) => part !== ""),
  ];
}
