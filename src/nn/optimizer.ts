/*
 * Common parts of the optimizers: their interface, and the flat vectors that they compute on. Most are elementwise on
 * the vector that `pack` makes of the parameters, so a backend runs each as one dispatch.
 */
import type { Update } from "../graph/graph.ts";
import { isFloat32 } from "../float32.ts";
import { constant, state } from "../graph/leaves.ts";
import type { Tensor } from "../graph/tensor.ts";
import { add, multiply, subtract, type Operand } from "../ops/elementwise/index.ts";
import { pack, packedSize } from "../ops/layout/index.ts";
import { requireFloat32, requireNumber } from "./checks.ts";
import { packGradients, type Gradients } from "./packed.ts";

/** The factors of an optimizer's learning rate and weight decay for one parameter. */
export interface ParameterFactors {
  readonly learningRate: number;
  readonly weightDecay: number;
}

/** Inputs of an optimizer that change with the step or differ between parameters. */
export interface UpdateOptions {
  /** A float32 scalar, usually a `stepScalar`, or a number. */
  readonly learningRate: Operand;
  /** One entry per parameter, for an optimizer with `takesFactors`; all factors are 1 by default. */
  readonly factors?: readonly ParameterFactors[];
}

/**
 * Computes new parameters from the current ones and their gradients. A custom optimizer is any object with these
 * members.
 */
export interface Optimizer {
  readonly name: string;
  /** Its hyperparameters, for logs and the metadata of model files. */
  readonly options: Readonly<Record<string, number>>;
  /** Whether `update` applies `factors`; all built-in optimizers do. False by default. */
  readonly takesFactors?: boolean;
  /**
   * The updates of one step: first those of the parameters, then those of the optimizer's states. Most optimizers
   * update all parameters together, as `pack(parameters)`. States are flat vectors with the layout of their parameters
   * and names such as "adam.firstMoment", and are zero before the first step. Each call makes new states.
   */
  update(parameters: readonly Tensor[], gradients: Gradients, options: UpdateOptions): Update[];
}

/** The inputs of an update rule: flat vectors, the learning rate, and a function that makes states. */
export interface FlatStep {
  readonly parameters: readonly Tensor[];
  readonly weights: Tensor;
  readonly gradient: Tensor;
  /** A scalar, or a vector if the parameters have different factors. */
  readonly learningRate: Operand;
  readonly factors: readonly ParameterFactors[];
  remember(name: string): Tensor;
}

/** The options of decoupled weight decay. */
export interface DecayedOptions {
  /** λ, at least 0. Each step multiplies a decayed weight by 1 − learningRate · λ. */
  readonly weightDecay?: number;
  /** Which parameters decay. By default those with at least two axes, so biases do not. */
  readonly decays?: (parameter: Tensor) => boolean;
}

const noFactors: ParameterFactors = { learningRate: 1, weightDecay: 1 };

/**
 * The inputs of an optimizer's update rule for some parameters. Names of states are prefixed with the optimizer's name.
 */
export function flatStep(
  name: string,
  parameters: readonly Tensor[],
  gradients: Gradients,
  { learningRate, factors = parameters.map(() => noFactors) }: UpdateOptions,
): FlatStep {
  const weights = pack(parameters);
  const rates = perSlice(
    parameters,
    factors.map((factor) => factor.learningRate),
  );
  return {
    parameters,
    weights,
    gradient: packGradients(gradients),
    learningRate: rates === 1 ? learningRate : multiply(rates, learningRate),
    factors,
    remember: (moment) => state(`${name}.${moment}`, weights.shape),
  };
}

/** An optimizer that updates all parameters as one vector. */
export function flatOptimizer(
  name: string,
  options: Record<string, number>,
  rule: (step: FlatStep) => Update[],
): Optimizer {
  return {
    name,
    options,
    takesFactors: true,
    update: (parameters, gradients, given) => rule(flatStep(name, parameters, gradients, given)),
  };
}

/** w ← w − ε (direction + λ w), with λ times the factor of each parameter that decays. */
export function decayedUpdate(step: FlatStep, direction: Tensor, options: Required<DecayedOptions>): Update {
  const { parameters, factors, weights, learningRate } = step;
  const { weightDecay, decays } = options;
  const rates = perSlice(
    parameters,
    parameters.map((parameter, position) => (decays(parameter) ? weightDecay * factors[position]!.weightDecay : 0)),
  );
  const change = rates === 0 ? direction : add(direction, multiply(weights, rates));
  return { target: weights, value: subtract(weights, multiply(change, learningRate)) };
}

export const hasTwoAxes = ({ shape }: Tensor) => shape.length >= 2;

/** @throws OptionError for a weight decay outside its range */
export function decayedOptions(name: string, options: DecayedOptions, usual: number): Required<DecayedOptions> {
  const { weightDecay = usual, decays = hasTwoAxes } = options;
  requireNumber(`${name} weightDecay`, weightDecay, weightDecay >= 0, "a number of at least 0");
  requireFloat32(`${name} weightDecay`, weightDecay);
  return { weightDecay, decays };
}

/** Requires a decay rate in [0, 1) that float32 does not round to 1. */
export function requireShare(where: string, value: number): void {
  requireNumber(where, value, isFloat32(value) && value >= 0 && Math.fround(value) < 1, "a number in [0, 1)");
}

/** share · old + (1 − share) · new. */
export function movingAverage(share: number, old: Tensor, fresh: Tensor): Tensor {
  return add(multiply(old, share), multiply(fresh, 1 - share));
}

/** Expands one number per parameter to the layout of their pack. If all are equal, returns the number itself. */
export function perSlice(parameters: readonly Tensor[], numbers: readonly number[]): Operand {
  if (numbers.every((number) => number === numbers[0])) return numbers[0]!;
  const slices = parameters.map((parameter, slice) => new Array<number>(packedSize(parameter)).fill(numbers[slice]!));
  return constant(slices.flat());
}
