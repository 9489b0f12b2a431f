/*
 * Functional models as ONNX graphs.
 */
import { OptionError } from "../../errors.ts";
import { parameterPrefix } from "../../nn/sequential.ts";
import type { TrainedFunctionalModel } from "../functional.ts";
import { functionSteps, type FunctionStep } from "../function-steps.ts";
import type { ParameterValues } from "../model.ts";
import type { OnnxModel } from "./protobuf.ts";
import { FLOAT, GraphWriter, INT64, normalize, valueInfo } from "./writer.ts";

/**
 * The graph of a functional model. Its inputs and outputs have the names of the model's.
 * @throws OptionError for an op or a layer without an ONNX form, and an output with the name of an input; GraphError for an op
 * that moves elements between examples
 */
export function functionGraph(
  { model, normalization = {} }: TrainedFunctionalModel,
  parameters: ParameterValues,
): Omit<OnnxModel["graph"], "name"> {
  const inputs = Object.entries(model.inputs);
  const writer = new GraphWriter(inputs[0]![0], parameters);
  const values = new Map<FunctionStep, string>();
  const { steps, outputs } = functionSteps(model);
  const path = `${parameterPrefix(model.config)}layers`;
  steps.forEach((step, index) => {
    writeStep(writer, step, {
      name: step.kind === "layer" ? `${path}.${step.name}` : `function.${index}`,
      valueOf: (own) => values.get(own)!,
    });
    if (step.kind === "input") {
      const own = normalization[step.name];
      if (own) normalize(writer, own, model.inputs[step.name]!.shape, `${step.name}.`);
    }
    values.set(step, writer.value);
  });
  nameOutputs(writer, outputs, { valueOf: (own) => values.get(own)!, inputs: Object.keys(model.inputs) });
  return {
    node: writer.neededNodes(Object.keys(outputs)),
    initializer: writer.constants,
    input: inputs.map(([name, { shape, dtype }]) => valueInfo(name, shape, dtype === "float32" ? FLOAT : INT64)),
    output: Object.entries(model.outputs).map(([name, shape]) => valueInfo(name, shape)),
  };
}

/** Writes a step, whose result is then the writer's last one. */
function writeStep(
  writer: GraphWriter,
  step: FunctionStep,
  { name, valueOf }: { readonly name: string; readonly valueOf: (step: FunctionStep) => string },
): void {
  switch (step.kind) {
    case "input":
      return writer.continueFrom(step.name);
    case "constant": {
      const { values, shape, dtype } = step;
      return writer.continueFrom(writer[dtype === "float32" ? "numbers" : "integers"](name, values, shape));
    }
    case "layer":
      writer.continueFrom(valueOf(step.input));
      return writer.layerUse(step.use, step.config, name, { isFirst: false, inputShape: step.inputShape });
    case "op":
      return writer.op(step.op, step.place, `${name}.${step.op}`, step.inputs.map(valueOf));
  }
}

function nameOutputs(
  writer: GraphWriter,
  outputs: Readonly<Record<string, FunctionStep>>,
  { valueOf, inputs }: { readonly valueOf: (step: FunctionStep) => string; readonly inputs: readonly string[] },
): void {
  /** The names of values that are outputs already. */
  const named = new Map<string, string>();
  for (const [name, step] of Object.entries(outputs)) {
    if (inputs.includes(name)) {
      const what = `an input and an output have the name ${name}`;
      throw new OptionError({ where: "ONNX", what, fix: "Return the output under another name" });
    }
    const value = valueOf(step);
    const same = named.get(value);
    writer.continueFrom(same ?? value);
    if (same === undefined) writer.nameResult(name);
    else writer.apply("Identity", name);
    named.set(value, name);
  }
}
