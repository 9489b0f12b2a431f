import { operandCodes, tensorCode, type PytorchOpForm } from "../forms.ts";
import type { ElementwiseAttributes } from "./function.ts";

const binary =
  (sign: string): PytorchOpForm =>
  (inputs) => {
    const [a, b] = operandCodes(inputs);
    return `(${a} ${sign} ${b})`;
  };

const comparison =
  (sign: string): PytorchOpForm =>
  (inputs) => {
    const [a, b] = operandCodes(inputs);
    return `(${a} ${sign} ${b}).float()`;
  };

/** A function of tensors, and of the parameters of the op. */
const call =
  (name: string, more = ""): PytorchOpForm =>
  (inputs, { attributes }) => {
    const { parameters } = attributes as ElementwiseAttributes;
    return `${name}(${[...inputs.map(tensorCode), ...parameters].join(", ")}${more})`;
  };

const power: PytorchOpForm = ([x], { attributes }) =>
  `(${tensorCode(x!)} ** ${(attributes as ElementwiseAttributes).parameters[0]})`;

export const pytorch: Readonly<Record<string, PytorchOpForm>> = {
  add: binary("+"),
  subtract: binary("-"),
  multiply: binary("*"),
  divide: binary("/"),
  negate: ([x]) => `(-${tensorCode(x!)})`,
  exp: call("torch.exp"),
  expm1: call("torch.expm1"),
  log: call("torch.log"),
  log1p: call("torch.log1p"),
  sqrt: call("torch.sqrt"),
  rsqrt: call("torch.rsqrt"),
  square: call("torch.square"),
  power,
  integerPower: power,
  abs: call("torch.abs"),
  sign: call("torch.sign"),
  floor: call("torch.floor"),
  round: call("torch.round"),
  sin: call("torch.sin"),
  cos: call("torch.cos"),
  remainder: call("torch.remainder"),
  minimum: call("torch.minimum"),
  maximum: call("torch.maximum"),
  less: comparison("<"),
  lessEqual: comparison("<="),
  greater: comparison(">"),
  greaterEqual: comparison(">="),
  equal: comparison("=="),
  equalIndex: comparison("=="),
  notEqual: comparison("!="),
  select: ([condition, a, b]) => `torch.where(${tensorCode(condition!)} != 0, ${tensorCode(a!)}, ${tensorCode(b!)})`,
  isNotFinite: ([x]) => `(~torch.isfinite(${tensorCode(x!)})).float()`,
  toFloat: ([x]) => `${tensorCode(x!)}.float()`,
  identity: ([x]) => x!,
  step: ([x]) => `(${tensorCode(x!)} >= 0).float()`,
  sigmoid: call("torch.sigmoid"),
  tanh: call("torch.tanh"),
  relu: call("torch.relu"),
  leakyRelu: call("nn.functional.leaky_relu"),
  elu: call("nn.functional.elu"),
  softplus: call("nn.functional.softplus"),
  gelu: call("nn.functional.gelu"),
  geluTanh: call("nn.functional.gelu", ', approximate="tanh"'),
  silu: call("nn.functional.silu"),
};
