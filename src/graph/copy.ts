import { version } from "../version.ts";

/** The key under which every tensor stores which copy of wgrad made it. All copies share this symbol. */
export const COPY: unique symbol = Symbol.for("wgrad.copy") as never;

/** This copy of wgrad: its version and, if the module format provides it, its URL. */
export const thisCopy = `wgrad ${version} at ${(import.meta.url as string | undefined) ?? "an unknown place"}`;

const FIX = "Load one version of wgrad, by import only or by require only";

/**
 * Why a value was not made by this copy of wgrad, as part of a `Refusal`.
 * @param kind what was expected, such as "tensor"
 * @param maker the copy that made it, if known
 * @param fix the fix if no other copy is involved
 */
export function foreignness(
  kind: string,
  value: unknown,
  maker: string | undefined,
  fix: string,
): { what: string; fix: string } {
  if (maker === undefined) return { what: `${shown(value)} is not a ${kind}`, fix };
  return { what: `the ${kind} was made by another copy of wgrad, ${maker}; this is ${thisCopy}`, fix: FIX };
}

/** The copy of wgrad that made a tensor; undefined for a value that is not a tensor of any copy. */
export function makerOf(value: unknown): string | undefined {
  const maker = (value as { [COPY]?: unknown } | null | undefined)?.[COPY];
  return typeof maker === "string" ? maker : undefined;
}

function shown(value: unknown): string {
  if (typeof value === "function") return `the function ${value.name}`;
  if (typeof value !== "object" || value === null) return String(value);
  return Array.isArray(value)
    ? `an array of length ${value.length}`
    : `an object with the keys ${Object.keys(value).join(", ")}`;
}
