/*
 * The page's address follows its state, and the way back leads through its tabs, modes and presets.
 */
import { effect } from "@preact/signals";

/** Entries of the history that this page made: they hold the whole state, also where the address says nothing of it. */
const OWN = { wgrad: true };

/** Of an address that changes with every move of a slider. */
const SETTLE_MILLISECONDS = 200;

let timer: ReturnType<typeof setTimeout> | undefined;
let hashNow = () => "";

/**
 * Writes the state into the address a moment after it changed, and takes it from there when the visitor goes back,
 * forward or to an address of their own.
 * @param hashOf the state, read from signals
 * @param read takes the address; `whole` where a missing field means its usual value, and not that it stays
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

/** Makes a change that the way back leads back from. */
export function visit(change: () => unknown): void {
  clearTimeout(timer);
  const before = hashNow();
  history.replaceState(OWN, "", before);
  void change();
  clearTimeout(timer);
  const after = hashNow();
  if (after !== before) history.pushState(OWN, "", after);
}
