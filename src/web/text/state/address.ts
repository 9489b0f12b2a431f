/*
 * The state of the Text tab as parameters of the address.
 */
import { readFields, unknownParameters, writeFields } from "../../shared/address/codec.ts";
import { addressMessage } from "../../shared/address/hash.ts";
import { runFields, viewFields } from "../settings.ts";
import { message, ownText, settings, textForm, view } from "./signals.ts";

/** The settings that differ from their defaults. */
export function formatText(): URLSearchParams {
  const params = new URLSearchParams();
  writeFields(params, runFields, settings.value);
  writeFields(params, viewFields, view.value);
  return params;
}

/** Takes the settings from parameters of the address. A message names what is not allowed. */
export function readTextAddress(params: URLSearchParams): void {
  const faults = unknownParameters(params, { "": { ...runFields, ...viewFields } });
  const read = readFields(params, runFields, faults);
  const isMissing = read.data === "own" && ownText.value === undefined;
  const next = isMissing ? { ...read, data: runFields.data.fallback } : read;
  // The same settings must not start the training over.
  if (JSON.stringify(next) !== JSON.stringify(settings.value)) settings.value = next;
  view.value = readFields(params, viewFields, faults);
  message.value = addressMessage(faults, message.value);
  if (!isMissing) return;
  textForm.value = { open: true };
  if (faults.length > 0) return;
  message.value = { kind: "note", text: "The address does not contain the text that was learned. Paste a text again." };
}
