import { version } from "../version.ts";

/** Under this key, which all copies of wgrad share, every tensor says which copy made it. */
export const COPY: unique symbol = Symbol.for("wgrad.copy") as never;

/** This copy of wgrad: its version, and the module that holds it where the module format has such a name. */
export const thisCopy = `wgrad ${version} at ${(import.meta.url as string | undefined) ?? "an unknown place"}`;

const FIX =
  "Load one version of wgrad, in one way: a program that imports it in one place and requires it in another has two copies";

/**
 * Why a value is nothing that this copy of wgrad made, as a part of a `Refusal`.
 * @param kind what was expected, such as "tensor"
 * @param maker the copy that made it, where it is known
 * @param fix what to do where no other copy is involved
 */
export function foreignness(
  kind: string,
  value: unknown,
  maker: string | undefined,
  fix: string,
): { what: string; fix: string } {
  if (maker === undefined) return { what: `${shown(value)} is no ${kind}`, fix };
  return { what: `the ${kind} was made by another copy of wgrad, ${maker}; this is ${thisCopy}`, fix: FIX };
}

/** The copy of wgrad that made a tensor; undefined for what is no tensor of any copy that says so. */
export function makerOf(value: unknown): string | undefined {
  const maker = (value as { [COPY]?: unknown } | null | undefined)?.[COPY];
  return typeof maker === "string" ? maker : undefined;
}

function shown(value: unknown): string {
  if (typeof value === "function") return `the function ${value.name}`;
  if (typeof value !== "object" || value === null) return String(value);
  return Array.isArray(value)
    ? `an array of length ${value.length}`
    : `an object of the keys ${Object.keys(value).join(", ")}`;
}
