import { activationWriters, type ActivationWriter } from "../../../ops/elementwise/activations-onnx.ts";
import type { ActivationName } from "../../activations.ts";
import type { OnnxForm, OnnxWriter } from "../forms.ts";
import { exportedActivation } from "./exported.ts";

const writers: Readonly<Record<ActivationName, ActivationWriter>> = activationWriters;

/**
 * Writes an activation with its default parameters.
 * @param name the name of the layer that applies the activation
 * @throws OptionError for a custom activation
 */
export function writeActivation(writer: OnnxWriter, activation: unknown, name: string): void {
  exportedActivation("ONNX", writers, activation)(writer, `${name}.${activation as string}`, []);
}

export const onnx: OnnxForm = (writer, { name: activation }, name) => writeActivation(writer, activation, name);
