import { activationWriters, type ActivationWriter } from "../../../ops/elementwise/activations-onnx.ts";
import type { ActivationName } from "../../activations.ts";
import { entryOf } from "../../checks.ts";
import type { OnnxForm, OnnxWriter } from "../forms.ts";

const writers: Readonly<Record<ActivationName, ActivationWriter>> = activationWriters;

/**
 * Writes an activation with its default parameters.
 * @param name the name of the layer that applies the activation
 * @throws OptionError for a custom activation
 */
export function writeActivation(writer: OnnxWriter, activation: unknown, name: string): void {
  entryOf("ONNX", "activation", writers, activation)(writer, `${name}.${activation as string}`, []);
}

export const onnx: OnnxForm = (writer, { name: activation }, name) => writeActivation(writer, activation, name);
