/*
 * The part of the address after the #, which contains the whole state of the page: `#digits?layers=…`, `#playground?…`.
 */
import { shortened } from "../../../text.ts";
import type { Message } from "../run-connection.ts";

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

/** All notes about an address begin with these words. */
const NOTE = "The address ";

/**
 * The text to show after an address was read: a note that names the parameters that are not allowed. If all are, the text
 * that was shown before stays, unless it is a note about an earlier address.
 */
export function addressNote(faults: readonly string[], shown: string | undefined): string | undefined {
  if (faults.length === 0) return shown?.startsWith(NOTE) ? undefined : shown;
  return `${NOTE}contains unknown or invalid settings: ${shortened(faults.join(", "), 120)}. The defaults are used instead.`;
}

/** As `addressNote`, for tabs that show messages of several kinds. */
export function addressMessage(faults: readonly string[], shown: Message | undefined): Message | undefined {
  const text = addressNote(faults, shown?.text);
  return text === shown?.text ? shown : text === undefined ? undefined : { kind: "note", text };
}
