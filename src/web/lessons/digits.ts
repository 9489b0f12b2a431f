/*
 * What lessons on the Digits tab have in common.
 */
import { reset, running, test, toggleRunning } from "../digits/state/index.ts";
import { view } from "../digits/view/views.tsx";
import { show } from "./show.ts";

/** Pauses, and starts over with new weights. */
export function beginDigits(): void {
  running.value = false;
  void reset();
  test.value = undefined;
}

export function startDigits(): void {
  if (!running.value) void toggleRunning();
}

/** Opens a view of the network, and scrolls to it. */
export function showView(name: typeof view.value): void {
  view.value = name;
  show(`#tab-${name}`);
}
