/*
 * The state of the Playground tab as parameters of the address.
 */
import { readFields, unknownParameters, writeFields } from "../../shared/address/codec.ts";
import { addressMessage } from "../../shared/address/hash.ts";
import { classifyFields, modes, neuronFields, regressFields, surfaceFields } from "../settings.ts";
import { message, playgroundState, tabFields } from "./signals.ts";

/** The state as parameters of the address: `mode`, and as `mode.setting` every setting that differs from its default. */
export function formatPlayground(): URLSearchParams {
  const params = new URLSearchParams();
  const state = playgroundState.value;
  writeFields(params, tabFields, state);
  writeFields(params, classifyFields, state.classify, { prefix: "classify." });
  writeFields(params, regressFields, state.regress, { prefix: "regress." });
  writeFields(params, neuronFields, state.neuron, { prefix: "neuron." });
  writeFields(params, surfaceFields, state.surface, { prefix: "surface." });
  return params;
}

/**
 * Takes the state from parameters of the address. What is missing gets its default.
 * @returns the parameters that are unknown or not allowed, such as "classify.noise=9"; their settings get their defaults
 */
export function parsePlayground(params: URLSearchParams): string[] {
  const groups = Object.fromEntries(Object.entries(modes).map(([mode, fields]) => [`${mode}.`, fields]));
  const faults = unknownParameters(params, { "": tabFields, ...groups });
  playgroundState.value = {
    ...readFields(params, tabFields, faults),
    classify: readFields(params, classifyFields, faults, "classify."),
    regress: readFields(params, regressFields, faults, "regress."),
    neuron: readFields(params, neuronFields, faults, "neuron."),
    surface: readFields(params, surfaceFields, faults, "surface."),
  };
  return faults;
}

/** Takes the state from parameters of the address. A message names what is not allowed. */
export function readPlaygroundAddress(params: URLSearchParams): void {
  const faults = parsePlayground(params);
  message.value = addressMessage(faults, message.value);
}
