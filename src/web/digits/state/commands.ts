/*
 * What the controls of the Digits tab do.
 */
import { needsRestart, withOptions, type DigitsSettings } from "../settings.ts";
import { begin, send } from "./connection.ts";
import { applied, draft, draftFaults, finished, notice, offered, prepared, running } from "./signals.ts";

export function toggleRunning(): Promise<void> {
  if (!running.value && finished.value) return begin(draft.value, true);
  running.value = !running.value;
  return send({ kind: running.value ? "start" : "pause" });
}

export function stepOnce(): Promise<void> {
  running.value = false;
  return send({ kind: "step" });
}

/** Draws the weights anew, with what the editor holds. */
export function reset(): Promise<void> {
  if (draftFaults.value.length > 0) return Promise.resolve();
  notice.value = undefined;
  return begin(draft.value, running.value);
}

/** Takes a change of the editor: what needs no restart is applied at once, all else waits. */
export function edit(change: Partial<DigitsSettings>): void {
  draft.value = { ...draft.value, ...change };
  adjustSoon();
}

let adjusting: ReturnType<typeof setTimeout> | undefined;

/** Waits until the visitor has typed to the end. */
function adjustSoon(): void {
  clearTimeout(adjusting);
  adjusting = setTimeout(adjust, 300);
}

/** Applies what of the draft needs no restart. */
function adjust(): void {
  const before = applied.value;
  if (!before || draftFaults.value.length > 0) return;
  const settings = withOptions(before, draft.value);
  if (JSON.stringify(settings) === JSON.stringify(before)) return;
  applied.value = settings;
  void send({ kind: "adjust", settings });
}

/** Replaces the whole draft and begins with it. */
export function choose(settings: DigitsSettings): Promise<void> {
  draft.value = settings;
  return begin(settings, running.value || !prepared.value || finished.value);
}

/** Takes back what waits for a restart. */
export function discard(): void {
  if (applied.value) draft.value = withOptions(applied.value, draft.value);
}

/** Goes on with the network of an earlier visit, or with the present one on a device that was opened since. */
export function resume(from: "earlier" | "present"): Promise<void> {
  offered.value = undefined;
  running.value = true;
  return send({ kind: "resume", from, run: true });
}

/** Takes settings of an address: begins with them if they need a restart, and else adjusts the training. */
export function takeSettings(settings: DigitsSettings): void {
  if (applied.value && needsRestart(applied.value, settings)) void choose(settings);
  else {
    draft.value = settings;
    adjust();
  }
}
