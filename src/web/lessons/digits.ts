/*
 * What lessons on the Digits tab have in common.
 */
import { predictedPicture, prediction, reset, running, test, toggleRunning } from "../digits/state/index.ts";
import { view } from "../digits/view/views.tsx";
import { isDrawing, isEmpty, isSample, picture } from "../digits/view/pad-canvas.tsx";
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

/**
 * The digit that the visitor's own drawing is read as, and its probability; undefined without a drawing, before its last
 * stroke is finished, and while the network reads it.
 */
export function readDrawing(): { readonly digit: number; readonly probability: number } | undefined {
  const probabilities = prediction.value?.probabilities;
  if (isSample.value || isEmpty.value || isDrawing.value) return undefined;
  if (!probabilities || picture.value !== predictedPicture.value) return undefined;
  const probability = Math.max(...probabilities);
  return { digit: probabilities.indexOf(probability), probability };
}

/** Opens the confusion matrix, and scrolls to it. */
export function showConfusion(): void {
  view.value = "confusion";
  show("tab-confusion");
}
