/*
 * The tabs of the page. The code of the first one is part of the page; that of another is loaded when it is first opened.
 */
import { signal } from "@preact/signals";
import type { ComponentType } from "preact";
import type { Tab } from "./shared/address/hash.ts";

/** What the page uses of a tab. */
export interface TabContent {
  readonly View: ComponentType;
  /** The state as parameters of the address. */
  format(): URLSearchParams;
  /** Takes the state from parameters of the address. */
  read(params: URLSearchParams): void;
  /** What the keys Space, S and R do. */
  readonly commands: { toggle(): unknown; step(): unknown; reset(): unknown };
  /**
   * Continues on a newly opened device.
   * @param starts whether to start the training if it is paused
   */
  resume(starts: boolean): unknown;
  /** Takes a file that was dropped on the tab. Without it, the page shows the Digits tab, which takes the file. */
  takeFile?(file: File): unknown;
}

export const tabTitles: Record<Tab, string> = {
  digits: "Digits",
  playground: "Playground",
  convolution: "Convolution",
  text: "Text",
};

const loaders: Partial<Record<Tab, () => Promise<TabContent>>> = {
  playground: async () => (await import("./playground/tab.tsx")).playgroundTab,
  convolution: async () => (await import("./convolution/tab.tsx")).convolutionTab,
  text: async () => (await import("./text/tab.tsx")).textTab,
};

/** The tabs whose code is loaded. */
export const loadedTabs = signal<Partial<Record<Tab, TabContent>>>({});

/** The parameters of the address for tabs whose code is not loaded. */
const waiting = new Map<Tab, URLSearchParams>();

/** Loads a tab's code, unless it is there. Rejects if the files cannot be loaded; a later call tries again. */
export async function loadTab(name: Tab): Promise<void> {
  if (loadedTabs.value[name]) return;
  const content = await loaders[name]!();
  // Another call may have been faster.
  if (!loadedTabs.value[name]) addTab(name, content);
}

/** Adds a tab whose code is loaded, in the state that the address asked for. */
export function addTab(name: Tab, content: TabContent): void {
  const params = waiting.get(name);
  if (params) content.read(params);
  loadedTabs.value = { ...loadedTabs.value, [name]: content };
}

/** Gives a tab parameters of the address, now or when its code is loaded. */
export function readParams(name: Tab, params: URLSearchParams): void {
  const content = loadedTabs.value[name];
  if (content) content.read(params);
  else waiting.set(name, params);
}

/** A tab's state as parameters of the address. */
export const formatParams = (name: Tab): URLSearchParams =>
  loadedTabs.value[name]?.format() ?? waiting.get(name) ?? new URLSearchParams();
