import { writeActivation } from "../activation/onnx.ts";
import type { OnnxForm, OnnxWriter } from "../forms.ts";
import { onnx as layerNorm } from "../layerNorm/onnx.ts";
import { onnx as attention } from "../multiHeadAttention/onnx.ts";
import { onnx as rmsNorm } from "../rmsNorm/onnx.ts";
import { writeLinear } from "../sequences-onnx.ts";
import { partsOf } from "./index.ts";

export const onnx: OnnxForm = (writer, config, name, place) => {
  const parts = partsOf(config, {});
  const normalize = (own: string) =>
    (config["norm"] === "rms" ? rmsNorm : layerNorm)(writer, parts.norm.config, `${name}.${own}`, place);
  const x = writer.value;
  normalize("attentionNorm");
  attention(writer, parts.attention.config, `${name}.attention`, place);
  writer.apply("Add", `${name}.between`, [x]);
  const between = writer.value;
  normalize("hiddenNorm");
  const normal = writer.value;
  const hasBias = config["bias"] === true;
  writeLinear(writer, `${name}.hidden`, hasBias);
  if (config["gated"] === true) writeGate(writer, name, normal, config["activation"], hasBias);
  else writeActivation(writer, config["activation"], name);
  writeLinear(writer, `${name}.output`, hasBias);
  writer.apply("Add", `${name}.sum`, [between]);
};

/** Multiplies the last result, the hidden units, by activated gates. */
function writeGate(writer: OnnxWriter, name: string, x: string, activation: unknown, hasBias: boolean): void {
  const units = writer.value;
  writer.continueFrom(x);
  writeLinear(writer, `${name}.gate`, hasBias);
  writeActivation(writer, activation, name);
  writer.apply("Mul", `${name}.gated`, [units]);
}
