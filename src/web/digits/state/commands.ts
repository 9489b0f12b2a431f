/*
 * What the controls of the Digits tab do.
 */
import { needsRestart, type DigitsSettings } from "../settings.ts";
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

/** Changes settings in the editor, which take effect as soon as the visitor has stopped typing. */
export function edit(change: Partial<DigitsSettings>): void {
  draft.value = { ...draft.value, ...change };
  clearTimeout(applying);
  applying = setTimeout(apply, 300);
}

let applying: ReturnType<typeof setTimeout> | undefined;

/** Applies the settings in the editor. Starts over if they need it, and otherwise continues with them. */
function apply(): void {
  const before = applied.value;
  const settings = draft.value;
  if (!before || draftFaults.value.length > 0 || JSON.stringify(settings) === JSON.stringify(before)) return;
  if (needsRestart(before, settings)) return void choose(settings);
  applied.value = settings;
  void send({ kind: "adjust", settings });
}

/** Replaces all settings and starts over with them. */
export function choose(settings: DigitsSettings): Promise<void> {
  draft.value = settings;
  return begin(settings, running.value || !prepared.value || finished.value);
}

/** Continues with the network of an earlier visit, or with the current one on a newly opened device. */
export function resume(from: "earlier" | "present", run = true): Promise<void> {
  offered.value = undefined;
  running.value = run;
  return send({ kind: "resume", from, run });
}

/** Takes settings from the address. Starts over if they need it, and otherwise applies them to the running training. */
export function takeSettings(settings: DigitsSettings): void {
  draft.value = settings;
  apply();
}
