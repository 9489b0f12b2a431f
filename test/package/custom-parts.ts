/*
 * Custom activations, a custom layer and custom losses, through the public entry only.
 */
import {
  abs,
  accuracy,
  add,
  elementwise,
  exp,
  initializers,
  lessEqual,
  logSoftmax,
  makeActivation,
  mean,
  multiply,
  negate,
  oneHot,
  select,
  square,
  subtract,
  sum,
  type ClassificationLoss,
  type CustomActivation,
  type Layer,
  type RegressionLoss,
  type Tensor,
} from "../../src/index.ts";

/** A function of graph ops, whose derivative is derived automatically. */
export const gaussian: CustomActivation = { name: "gaussian", apply: (x) => exp(negate(square(x))) };

/** A function with a derivative in closed form, for both backends. */
const softsignOf = makeActivation({
  name: "softsign",
  cpu: (x) => x / (1 + Math.abs(x)),
  wgsl: "softsign",
  derivative: { cpu: (x) => 1 / (1 + Math.abs(x)) ** 2, wgsl: "softsign_derivative" },
  source: `
    fn softsign(x: f32) -> f32 { return x / (1.0 + abs(x)); }
    fn softsign_derivative(x: f32) -> f32 { let s = 1.0 + abs(x); return 1.0 / (s * s); }`,
  flops: 3,
});
export const softsign: CustomActivation = { name: "softsign", apply: (x) => softsignOf(x) };

/** A function for which wgrad has no op, with a parameter, and a derivative written with graph ops. */
const wave: (operands: readonly Tensor[], frequency: number, phase: number) => Tensor = elementwise({
  name: "wave",
  arity: 1,
  cpu: (x, frequency, phase) => Math.sin(frequency! * x! + phase!),
  wgsl: "wave",
  source: "fn wave(x: f32, frequency: f32, phase: f32) -> f32 { return sin(frequency * x + phase); }",
  flops: 10,
  gradient: (upstream, [x], _output, [frequency, phase]) => [
    multiply(upstream, multiply(wave([x!], frequency!, phase! + Math.PI / 2), frequency!)),
  ],
});
export const sine: CustomActivation = { name: "sine", apply: (x) => wave([x], 3, 0) };

/** x · scale + shift, with a scale and a shift for each feature. */
export function scaleShift(start: number): Layer {
  return {
    config: { type: "scaleShift", start },
    build({ inputShape, parameter: make }) {
      const fans = { fanIn: 1, fanOut: 1 };
      const scale = make("scale", inputShape, initializers.constant(start), fans);
      const shift = make("shift", inputShape, initializers.zeros, fans);
      return { outputShape: inputShape, apply: (x) => add(multiply(x, scale), shift) };
    },
  };
}

/** ½ e² for an error of at most 1, else |e| − ½ (Huber 1964). */
export const huber: RegressionLoss = {
  name: "huber",
  perTarget(outputs, targets) {
    const error = abs(subtract(outputs, targets));
    return mean(select(lessEqual(error, 1), multiply(square(error), 0.5), subtract(error, 0.5)), { axes: 1 });
  },
};

/** Cross-entropy with label smoothing of 0.1. */
export const smoothed: ClassificationLoss = {
  name: "smoothed",
  takesSingleOutput: false,
  perExample(outputs, labels) {
    const classes = outputs.shape[1]!;
    const targets = add(multiply(oneHot(labels, classes), 0.9), 0.1 / classes);
    return negate(sum(multiply(targets, logSoftmax(outputs)), { axes: 1 }));
  },
  correct: (outputs, labels) => accuracy(outputs, labels),
};
