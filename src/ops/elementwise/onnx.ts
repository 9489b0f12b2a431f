import { onnxTypes, operator, type OnnxOpForm } from "../forms.ts";
import { activationWriters, type ActivationWriter } from "./activations-onnx.ts";
import type { ElementwiseAttributes } from "./function.ts";

/** A comparison, whose result is 1 or 0. */
const comparison =
  (type: string, { negated = false } = {}): OnnxOpForm =>
  (writer, _, name, inputs) => {
    writer.applyTo(type, `${name}.compared`, inputs);
    if (negated) writer.apply("Not", `${name}.negated`);
    writer.apply("Cast", name, [], { to: { int: onnxTypes.float } });
  };

const power: OnnxOpForm = (writer, { attributes }, name, [x]) => {
  const [exponent] = (attributes as ElementwiseAttributes).parameters as [number];
  writer.applyTo("Pow", name, [x!, writer.numbers(`${name}.exponent`, [exponent], [])]);
};

/** The function of an activation as an op. `identity` passes its input on. */
const activation =
  (write: ActivationWriter): OnnxOpForm =>
  (writer, { attributes }, name, [x]) => {
    writer.continueFrom(x!);
    write(writer, name, (attributes as ElementwiseAttributes).parameters);
  };

/** For x near 0, the forms of expm1 and log1p have a larger relative error than the ops: ONNX has neither function. */
export const onnx: Readonly<Record<string, OnnxOpForm>> = {
  ...Object.fromEntries(Object.entries(activationWriters).map(([name, write]) => [name, activation(write)])),
  add: operator("Add"),
  subtract: operator("Sub"),
  multiply: operator("Mul"),
  divide: operator("Div"),
  negate: operator("Neg"),
  exp: operator("Exp"),
  log: operator("Log"),
  sqrt: operator("Sqrt"),
  abs: operator("Abs"),
  sign: operator("Sign"),
  floor: operator("Floor"),
  round: operator("Round"),
  sin: operator("Sin"),
  cos: operator("Cos"),
  minimum: operator("Min"),
  maximum: operator("Max"),
  less: comparison("Less"),
  lessEqual: comparison("LessOrEqual"),
  greater: comparison("Greater"),
  greaterEqual: comparison("GreaterOrEqual"),
  equal: comparison("Equal"),
  equalIndex: comparison("Equal"),
  notEqual: comparison("Equal", { negated: true }),
  toFloat: operator("Cast", { to: { int: onnxTypes.float } }),
  square: (writer, _, name, [x]) => writer.applyTo("Mul", name, [x!, x!]),
  power,
  integerPower: power,
  rsqrt(writer, _, name, inputs) {
    writer.applyTo("Sqrt", `${name}.root`, inputs);
    writer.apply("Reciprocal", name);
  },
  expm1(writer, _, name, inputs) {
    writer.applyTo("Exp", `${name}.exp`, inputs);
    writer.applyNumber("Sub", name, 1);
  },
  log1p(writer, _, name, [x]) {
    writer.continueFrom(x!);
    writer.applyNumber("Add", `${name}.sum`, 1);
    writer.apply("Log", name);
  },
  remainder(writer, _, name, [a, b]) {
    writer.applyTo("Div", `${name}.quotient`, [a!, b!]);
    writer.apply("Floor", `${name}.whole`);
    writer.apply("Mul", `${name}.multiple`, [b!]);
    writer.applyTo("Sub", name, [a!, writer.value]);
  },
  select(writer, _, name, [condition, a, b]) {
    writer.applyTo("Cast", `${name}.condition`, [condition!], { to: { int: onnxTypes.bool } });
    writer.apply("Where", name, [a!, b!]);
  },
  isNotFinite(writer, _, name, [x]) {
    writer.applyTo("IsNaN", `${name}.nan`, [x!]);
    const nan = writer.value;
    writer.applyTo("IsInf", `${name}.infinite`, [x!]);
    writer.apply("Or", `${name}.either`, [nan]);
    writer.apply("Cast", name, [], { to: { int: onnxTypes.float } });
  },
};
