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

/** Starts over with new weights and the settings in the editor. */
export function reset(): Promise<void> {
  if (draftFaults.value.length > 0) return Promise.resolve();
  notice.value = undefined;
  return begin(draft.value, running.value);
}

/** Changes settings in the editor. Those that need no restart are applied soon; the others wait. */
export function edit(change: Partial<DigitsSettings>): void {
  draft.value = { ...draft.value, ...change };
  adjustSoon();
}

let adjusting: ReturnType<typeof setTimeout> | undefined;

/** Waits until the visitor has stopped typing. */
function adjustSoon(): void {
  clearTimeout(adjusting);
  adjusting = setTimeout(adjust, 300);
}

/** Applies the settings in the editor that need no restart. */
function adjust(): void {
  const before = applied.value;
  if (!before || draftFaults.value.length > 0) return;
  const settings = withOptions(before, draft.value);
  if (JSON.stringify(settings) === JSON.stringify(before)) return;
  applied.value = settings;
  void send({ kind: "adjust", settings });
}

/** Replaces all settings and starts over with them. */
export function choose(settings: DigitsSettings): Promise<void> {
  draft.value = settings;
  return begin(settings, running.value || !prepared.value || finished.value);
}

/** Discards the settings that wait for a restart. */
export function discard(): void {
  if (applied.value) draft.value = withOptions(applied.value, draft.value);
}

/** Continues with the network of an earlier visit, or with the current one on a newly opened device. */
export function resume(from: "earlier" | "present", run = true): Promise<void> {
  offered.value = undefined;
  running.value = run;
  return send({ kind: "resume", from, run });
}

/** Takes settings from the address. Starts over if they need it, and otherwise applies them to the running training. */
export function takeSettings(settings: DigitsSettings): void {
  if (applied.value && needsRestart(applied.value, settings)) void choose(settings);
  else {
    draft.value = settings;
    adjust();
  }
}
