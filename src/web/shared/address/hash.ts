/*
 * The part of the address after the #, which contains the whole state of the page: `#digits?layers=…`, `#playground?…`.
 */
import { shortened } from "../../../text.ts";

export const tabs = ["digits", "playground", "convolution", "text"] as const;

export type Tab = (typeof tabs)[number];

/** Formats a hash such as `#digits?rate=0.003`. Commas stay readable. */
export function formatHash(tab: Tab, params: URLSearchParams): string {
  const text = params.toString().replaceAll("%2C", ",");
  return text === "" ? `#${tab}` : `#${tab}?${text}`;
}

/** The tab that a hash names, and its parameters. A hash without a known tab means the Digits tab without parameters. */
export function parseHash(hash: string): { tab: Tab; params: URLSearchParams } {
  const text = hash.replace(/^#/, "");
  const end = text.indexOf("?");
  const name = end < 0 ? text : text.slice(0, end);
  const tab = tabs.find((known) => known === name);
  return { tab: tab ?? "digits", params: new URLSearchParams(tab && end >= 0 ? text.slice(end + 1) : "") };
}

/** A message that names the parameters that are not allowed. */
export const addressNote = (faults: readonly string[]): string =>
  `The address contains unknown or invalid settings: ${shortened(faults.join(", "), 120)}. The defaults are used instead.`;
