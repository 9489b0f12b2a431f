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

/** Opens the confusion matrix, and scrolls to it. */
export function showConfusion(): void {
  view.value = "confusion";
  show("tab-confusion");
}
