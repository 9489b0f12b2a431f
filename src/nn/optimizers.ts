/*
 * Optimizers, in order of complexity. Each one builds a graph that computes new parameters and new state from
 * parameters and gradients. All are elementwise on the flat vector that `pack` makes of the parameters, so a backend
 * runs each as one dispatch.
 */
import { excerpt, OptionError } from "../errors.ts";
import type { Update } from "../graph/graph.ts";
import { isFloat32 } from "../float32.ts";
import { constant, state, stepScalar } from "../graph/leaves.ts";
import type { Tensor } from "../graph/tensor.ts";
import { add, divide, multiply, sqrt, square, subtract, type Operand } from "../ops/elementwise/index.ts";
import { pack, packedSize } from "../ops/layout/index.ts";
import { requireFloat32, requireNumber, requirePositiveFloat32 } from "./checks.ts";
import { momentumForms, type MomentumForm } from "./momentum-form.ts";
import { packGradients, type Gradients } from "./packed.ts";

/** Inputs of an optimizer that change with the step. */
export interface UpdateOptions {
  /** A float32 scalar, usually a `stepScalar`. */
  readonly learningRate: Tensor;
}

/**
 * Computes new parameters from the current ones and their gradients. A custom optimizer is any object with these
 * members.
 */
export interface Optimizer {
  readonly name: string;
  /** Its hyperparameters, for logs and the metadata of model files. */
  readonly options: Readonly<Record<string, number>>;
  /**
   * The updates of one step: first that of `pack(parameters)`, then those of the optimizer's states. States are flat
   * vectors in the same layout, with names such as "adam.firstMoment", and zero before the first step. Each call makes
   * new states.
   */
  update(parameters: readonly Tensor[], gradients: Gradients, options: UpdateOptions): Update[];
}

/** The inputs of an update rule: flat vectors, the learning rate, and a function that makes states. */
interface FlatStep {
  readonly parameters: readonly Tensor[];
  readonly weights: Tensor;
  readonly gradient: Tensor;
  readonly learningRate: Tensor;
  remember(name: string): Tensor;
}

function optimizer(name: string, options: Record<string, number>, rule: (step: FlatStep) => Update[]): Optimizer {
  return {
    name,
    options,
    update(parameters, gradients, { learningRate }) {
      const weights = pack(parameters);
      const remember = (moment: string) => state(`${name}.${moment}`, weights.shape);
      return rule({ parameters, weights, gradient: packGradients(gradients), learningRate, remember });
    },
  };
}

/** Requires a decay rate in [0, 1) that float32 does not round to 1. */
function requireShare(where: string, value: number): void {
  requireNumber(where, value, isFloat32(value) && value >= 0 && Math.fround(value) < 1, "a number in [0, 1)");
}

/** share · old + (1 − share) · new. */
function movingAverage(share: number, old: Tensor, fresh: Tensor): Tensor {
  return add(multiply(old, share), multiply(fresh, 1 - share));
}

/** Plain gradient descent: w ← w − ε g (Goodfellow, Bengio and Courville 2016, algorithm 8.1). */
export function sgd(): Optimizer {
  return optimizer("sgd", {}, ({ weights, gradient, learningRate }) => [
    { target: weights, value: subtract(weights, multiply(gradient, learningRate)) },
  ]);
}

/** The options of `momentum` and `nesterov`. */
export interface MomentumOptions {
  /** α, the fraction of the last change that is kept, in [0, 1); 0.9 by default. */
  readonly momentum?: number;
  /** "classic" by default; "pytorch" gives the same numbers as PyTorch's SGD if the learning rate changes. */
  readonly form?: MomentumForm;
}

function momentumOptions(name: string, { momentum: share = 0.9, form = "classic" }: MomentumOptions) {
  requireShare(`${name} momentum`, share);
  if (!momentumForms.includes(form)) {
    const what = `unknown form ${excerpt(form)}`;
    throw new OptionError({ where: `${name} form`, what, fix: `Choose one of ${momentumForms.join(", ")}` });
  }
  return { share, isClassic: form === "classic" };
}

/** Momentum in PyTorch's form: v ← α v + g, w ← w − ε · direction(v). */
function pytorchMomentum(
  name: string,
  share: number,
  directionOf: (velocity: Tensor, gradient: Tensor) => Tensor,
): Optimizer {
  return optimizer(name, { momentum: share }, ({ weights, gradient, learningRate, remember }) => {
    const last = remember("buffer");
    const velocity = add(multiply(last, share), gradient);
    return [
      { target: weights, value: subtract(weights, multiply(directionOf(velocity, gradient), learningRate)) },
      { target: last, value: velocity },
    ];
  });
}

/**
 * Gradient descent with momentum: Δw(t) = −ε ∂E/∂w(t) + α Δw(t−1), w ← w + Δw(t) (Rumelhart, Hinton and Williams 1986,
 * equation 9). State: the last change, "momentum.change". In PyTorch's form: v ← α v + g, w ← w − ε v, with the state
 * v, "momentum.buffer".
 *
 * @example
 * ```ts
 * const trainer = await createTrainer({ ...options, optimizer: optimizers.momentum({ momentum: 0.9 }) });
 * ```
 *
 * @throws OptionError for a momentum outside [0, 1) or an unknown form
 */
export function momentum(options: MomentumOptions = {}): Optimizer {
  const { share, isClassic } = momentumOptions("momentum", options);
  if (!isClassic) return pytorchMomentum("momentum", share, (velocity) => velocity);
  return optimizer("momentum", { momentum: share }, ({ weights, gradient, learningRate, remember }) => {
    const last = remember("change");
    const change = subtract(multiply(last, share), multiply(gradient, learningRate));
    return [
      { target: weights, value: add(weights, change) },
      { target: last, value: change },
    ];
  });
}

/**
 * Nesterov's accelerated gradient, evaluated at the look-ahead point w: v ← μ v − ε g, w ← w + μ v − ε g (Sutskever et
 * al. 2013, equations 3 and 4, in the form of Bengio, Boulanger-Lewandowski and Pascanu 2013, section 3.5). State: v,
 * "nesterov.velocity". In PyTorch's form: v ← μ v + g, w ← w − ε (g + μ v), with the state v, "nesterov.buffer".
 * @throws OptionError for a momentum outside [0, 1) or an unknown form
 */
export function nesterov(options: MomentumOptions = {}): Optimizer {
  const { share, isClassic } = momentumOptions("nesterov", options);
  if (!isClassic)
    return pytorchMomentum("nesterov", share, (velocity, gradient) => add(gradient, multiply(velocity, share)));
  return optimizer("nesterov", { momentum: share }, ({ weights, gradient, learningRate, remember }) => {
    const last = remember("velocity");
    const descent = multiply(gradient, learningRate);
    const velocity = subtract(multiply(last, share), descent);
    return [
      { target: weights, value: add(weights, subtract(multiply(velocity, share), descent)) },
      { target: last, value: velocity },
    ];
  });
}

/** The options of `rmsprop`. */
export interface RmspropOptions {
  /** ρ, the decay rate of the mean square, in [0, 1); 0.9 by default. */
  readonly decay?: number;
  /** Added to the root to avoid division by 0, above 0; 1e-8 by default. */
  readonly epsilon?: number;
}

/**
 * RMSprop divides the gradient by the root of its mean square: s ← ρ s + (1 − ρ) g², w ← w − ε g / (√s + epsilon)
 * (Tieleman and Hinton 2012, lecture 6e). State: s, "rmsprop.meanSquare".
 * @throws OptionError for an option outside its range
 */
export function rmsprop(options: RmspropOptions = {}): Optimizer {
  const { decay = 0.9, epsilon = 1e-8 } = options;
  requireShare("rmsprop decay", decay);
  requirePositiveFloat32("rmsprop epsilon", epsilon);
  return optimizer("rmsprop", { decay, epsilon }, ({ weights, gradient, learningRate, remember }) => {
    const last = remember("meanSquare");
    const meanSquare = movingAverage(decay, last, square(gradient));
    const direction = divide(gradient, add(sqrt(meanSquare), epsilon));
    return [
      { target: weights, value: subtract(weights, multiply(direction, learningRate)) },
      { target: last, value: meanSquare },
    ];
  });
}

/** The options of `adam`. */
export interface AdamOptions {
  /** The decay rate of the first moment, in [0, 1); 0.9 by default. */
  readonly beta1?: number;
  /** The decay rate of the second moment, in [0, 1); 0.999 by default. */
  readonly beta2?: number;
  /** Added to the root to avoid division by 0, above 0; 1e-8 by default. */
  readonly epsilon?: number;
}

function adamOptions(name: string, options: AdamOptions): Required<AdamOptions> {
  const { beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8 } = options;
  requireShare(`${name} beta1`, beta1);
  requireShare(`${name} beta2`, beta2);
  requirePositiveFloat32(`${name} epsilon`, epsilon);
  return { beta1, beta2, epsilon };
}

/**
 * 1 / (1 − βᵗ) with t = step + 1, the bias correction of a moving average that starts at 0 (Kingma and Ba 2015, section
 * 3).
 */
function biasCorrection(name: string, beta: number): Tensor {
  return stepScalar(name, (step) => 1 / (1 - beta ** (step + 1)));
}

/** The direction m̂ / (√v̂ + epsilon), and the updates of both moments. */
function adamDirection({ gradient, remember }: FlatStep, options: Required<AdamOptions>) {
  const { beta1, beta2, epsilon } = options;
  const [lastFirst, lastSecond] = [remember("firstMoment"), remember("secondMoment")];
  const first = movingAverage(beta1, lastFirst, gradient);
  const second = movingAverage(beta2, lastSecond, square(gradient));
  const mean = multiply(first, biasCorrection("firstCorrection", beta1));
  const meanSquare = multiply(second, biasCorrection("secondCorrection", beta2));
  const moments: Update[] = [
    { target: lastFirst, value: first },
    { target: lastSecond, value: second },
  ];
  return { direction: divide(mean, add(sqrt(meanSquare), epsilon)), moments };
}

/**
 * Adam: m ← β₁ m + (1 − β₁) g, v ← β₂ v + (1 − β₂) g², w ← w − ε m̂ / (√v̂ + epsilon) with m̂ = m / (1 − β₁ᵗ) and v̂ =
 * v / (1 − β₂ᵗ) (Kingma and Ba 2015, algorithm 1). States: "adam.firstMoment" and "adam.secondMoment".
 *
 * @example
 * ```ts
 * const trainer = await createTrainer({ ...options, optimizer: optimizers.adam({ beta2: 0.99 }), learningRate: 1e-3 });
 * ```
 *
 * @throws OptionError for an option outside its range
 */
export function adam(options: AdamOptions = {}): Optimizer {
  const numbers = adamOptions("adam", options);
  return optimizer("adam", { ...numbers }, (step) => {
    const { weights, learningRate } = step;
    const { direction, moments } = adamDirection(step, numbers);
    return [{ target: weights, value: subtract(weights, multiply(direction, learningRate)) }, ...moments];
  });
}

/** The options of `adamW`. */
export interface AdamWOptions extends AdamOptions {
  /** λ, at least 0; 0.01 by default. Each step multiplies a decayed weight by 1 − learningRate · λ. */
  readonly weightDecay?: number;
  /** Which parameters decay. By default those with at least two axes, so that biases do not. */
  readonly decays?: (parameter: Tensor) => boolean;
}

/**
 * AdamW, Adam with decoupled weight decay: w ← w − ε (m̂ / (√v̂ + epsilon) + λ w) (Loshchilov and Hutter 2019,
 * algorithm 2 with α = 1, so that the learning rate ε is the schedule multiplier η). States: "adamW.firstMoment" and
 * "adamW.secondMoment".
 * @throws OptionError for an option outside its range
 */
export function adamW(options: AdamWOptions = {}): Optimizer {
  const { weightDecay = 0.01, decays = ({ shape }: Tensor) => shape.length >= 2 } = options;
  const numbers = adamOptions("adamW", options);
  requireNumber("adamW weightDecay", weightDecay, weightDecay >= 0, "a number of at least 0");
  requireFloat32("adamW weightDecay", weightDecay);
  return optimizer("adamW", { ...numbers, weightDecay }, (step) => {
    const { parameters, weights, learningRate } = step;
    const { direction, moments } = adamDirection(step, numbers);
    const rates = perSlice(
      parameters,
      parameters.map((parameter) => (decays(parameter) ? weightDecay : 0)),
    );
    const change = rates === 0 ? direction : add(direction, multiply(weights, rates));
    return [{ target: weights, value: subtract(weights, multiply(change, learningRate)) }, ...moments];
  });
}

/** Expands one number per parameter to the layout of their pack. If all are equal, returns the number itself. */
function perSlice(parameters: readonly Tensor[], numbers: readonly number[]): Operand {
  if (numbers.every((number) => number === numbers[0])) return numbers[0]!;
  const slices = parameters.map((parameter, slice) => new Array<number>(packedSize(parameter)).fill(numbers[slice]!));
  return constant(slices.flat());
}
