/*
 * The state of the Digits tab as parameters of the address.
 */
import { readFields, writeFields } from "../../shared/address/codec.ts";
import { addressNote } from "../../shared/address/hash.ts";
import { formatSettings, parseSettings } from "../settings.ts";
import { takeSettings } from "./commands.ts";
import { applied, draft, notice, viewFields, viewOptions } from "./signals.ts";

export function formatDigits(): URLSearchParams {
  const params = formatSettings(applied.value ?? draft.value);
  writeFields(params, viewFields, viewOptions.value);
  return params;
}

/** Takes the state from parameters of the address. The notice names what is not allowed. */
export function parseDigits(params: URLSearchParams): void {
  const { settings, faults } = parseSettings(params);
  viewOptions.value = readFields(params, viewFields, faults);
  notice.value = addressNote(faults, notice.value);
  takeSettings(settings);
}
