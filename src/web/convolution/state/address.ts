/*
 * The state of the Convolution tab as parameters of the address.
 */
import { readFields, unknownParameters, writeFields } from "../../shared/address/codec.ts";
import { addressMessage } from "../../shared/address/hash.ts";
import { subjectFields, trainingFields } from "../settings.ts";
import { message, subject, training } from "./signals.ts";

/** The settings that differ from their defaults. */
export function formatConvolution(): URLSearchParams {
  const params = new URLSearchParams();
  writeFields(params, trainingFields, training.value);
  writeFields(params, subjectFields, subject.value);
  return params;
}

/** Takes the settings from parameters of the address. A message names what is not allowed. */
export function readConvolutionAddress(params: URLSearchParams): void {
  const faults = unknownParameters(params, { "": { ...trainingFields, ...subjectFields } });
  const settings = readFields(params, trainingFields, faults);
  // The same settings must not start the training over.
  if (JSON.stringify(settings) !== JSON.stringify(training.value)) training.value = settings;
  subject.value = readFields(params, subjectFields, faults);
  message.value = addressMessage(faults, message.value);
}
