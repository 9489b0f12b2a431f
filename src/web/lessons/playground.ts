/*
 * What lessons on the Playground tab have in common.
 */
import type { Frame } from "../playground/contract.ts";
import type { Mode } from "../playground/settings.ts";
import { frame, playgroundCommands, running } from "../playground/state/index.ts";

/** Pauses, and starts over with new weights. */
export function beginPlayground(): void {
  if (running.value) playgroundCommands.toggle();
  restart();
}

/** Starts over with the current settings. Until the new run begins, there is no frame. */
function restart(): void {
  playgroundCommands.reset();
  frame.value = undefined;
}

export function startPlayground(): void {
  if (!running.value) playgroundCommands.toggle();
}

/** Starts over, and trains. */
export function startAgain(): void {
  restart();
  startPlayground();
}

/** The state of the run, if it belongs to a mode. */
export const frameOf = (mode: Mode): Frame | undefined => (frame.value?.mode === mode ? frame.value : undefined);
