/*
 * Keeps the page's address up to date with its state. Changes of tab, mode and preset are entries of the browser history.
 */
import { effect } from "@preact/signals";

/** Marks history entries of this page. Their address contains the whole state: a missing parameter means the default. */
const OWN = { wgrad: true };

/** The address is updated this long after the last change, since a slider makes many. */
const SETTLE_MILLISECONDS = 200;

let timer: ReturnType<typeof setTimeout> | undefined;
let hashNow = () => "";

/**
 * Writes the state into the address shortly after each change, and reads the address when the visitor goes back or
 * forward, or edits the address.
 * @param hashOf formats the state; it is called again when the signals that it reads change
 * @param read sets the state from the address; if `whole` is true, a missing parameter means the default
 */
export function keepAddress(hashOf: () => string, read: (whole: boolean) => void): void {
  hashNow = hashOf;
  effect(() => {
    const hash = hashOf();
    clearTimeout(timer);
    timer = setTimeout(() => history.replaceState(OWN, "", hash), SETTLE_MILLISECONDS);
  });
  addEventListener("popstate", ({ state }) => {
    clearTimeout(timer);
    read((state as typeof OWN | null)?.wgrad === true);
  });
}

/** Makes a change that the Back button reverts. */
export function visit(change: () => unknown): void {
  clearTimeout(timer);
  const before = hashNow();
  history.replaceState(OWN, "", before);
  void change();
  clearTimeout(timer);
  const after = hashNow();
  if (after !== before) history.pushState(OWN, "", after);
}

/** Sets a parameter before the hash, which belongs to the whole page, or removes it. */
export function setParameter(name: string, value: string | undefined): void {
  const address = new URL(location.href);
  if (value === undefined) address.searchParams.delete(name);
  else address.searchParams.set(name, value);
  if (address.href !== location.href) history.replaceState(history.state, "", address);
}
