/*
 * The whole state of the page is in its address, after the #: `#digits?layers=…` or `#playground?…`.
 */
import { shortened } from "../../text.ts";

export const tabs = ["digits", "playground"] as const;

export type Tab = (typeof tabs)[number];

/** Such as `#digits?rate=0.003`. The signs that an address may hold as they are stay readable. */
export function formatHash(tab: Tab, params: URLSearchParams): string {
  const text = params.toString().replaceAll("%2C", ",");
  return text === "" ? `#${tab}` : `#${tab}?${text}`;
}

/** Which tab an address names, and its fields; the Digits tab without any where it names none. */
export function parseHash(hash: string): { tab: Tab; params: URLSearchParams } {
  const text = hash.replace(/^#/, "");
  const end = text.indexOf("?");
  const name = end < 0 ? text : text.slice(0, end);
  const tab = tabs.find((known) => known === name);
  return { tab: tab ?? "digits", params: new URLSearchParams(tab && end >= 0 ? text.slice(end + 1) : "") };
}

/** Says which fields of an address make no sense. */
export const addressNote = (faults: readonly string[]): string =>
  `The address says ${shortened(faults.join(", "), 120)}, which is not known here: the usual value is used.`;
