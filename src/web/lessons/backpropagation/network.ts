/*
 * A network of two inputs, two hidden units and one output, all with sigmoid, small enough to compute by hand. Its loss is
 * half the squared error.
 */

/** Weights are named by the units that they connect: w12 goes from input 1 to hidden unit 2, and v1 from there to the output. */
export const parameterNames = ["w11", "w21", "b1", "w12", "w22", "b2", "v1", "v2", "c"] as const;
export type ParameterName = (typeof parameterNames)[number];
export type Parameters = Readonly<Record<ParameterName, number>>;

/** The second input is 0, so that the gradients of its weights are 0. */
export const inputs = [1, 0] as const;
export const target = 1;
export const learningRate = 2;

export const firstParameters: Parameters = {
  w11: 0.5,
  w21: -0.6,
  b1: 0.1,
  w12: -0.8,
  w22: 0.9,
  b2: 0.4,
  v1: 0.7,
  v2: -0.4,
  c: -0.3,
};

/** The outputs of the hidden units and of the network, and the loss. */
export interface Forward {
  readonly h1: number;
  readonly h2: number;
  readonly y: number;
  readonly loss: number;
}

/** The derivatives of the loss: `d…` with respect to the sum of a unit, before its sigmoid, and those of the parameters. */
export interface Backward {
  readonly dh1: number;
  readonly dh2: number;
  readonly dy: number;
  readonly gradients: Parameters;
}

const sigmoid = (sum: number) => 1 / (1 + Math.exp(-sum));

export function forward({ w11, w21, b1, w12, w22, b2, v1, v2, c }: Parameters): Forward {
  const [x1, x2] = inputs;
  const h1 = sigmoid(w11 * x1 + w21 * x2 + b1);
  const h2 = sigmoid(w12 * x1 + w22 * x2 + b2);
  const y = sigmoid(v1 * h1 + v2 * h2 + c);
  return { h1, h2, y, loss: (y - target) ** 2 / 2 };
}

/** The chain rule from the loss back to the inputs (Rumelhart, Hinton and Williams 1986). The derivative of σ is σ(1 − σ). */
export function backward({ v1, v2 }: Parameters, { h1, h2, y }: Forward): Backward {
  const [x1, x2] = inputs;
  const dy = (y - target) * y * (1 - y);
  const dh1 = dy * v1 * h1 * (1 - h1);
  const dh2 = dy * v2 * h2 * (1 - h2);
  return {
    dh1,
    dh2,
    dy,
    gradients: {
      w11: dh1 * x1,
      w21: dh1 * x2,
      b1: dh1,
      w12: dh2 * x1,
      w22: dh2 * x2,
      b2: dh2,
      v1: dy * h1,
      v2: dy * h2,
      c: dy,
    },
  };
}

/** A step of gradient descent. */
export function updated(parameters: Parameters, gradients: Parameters): Parameters {
  const entries = parameterNames.map((name) => [name, parameters[name] - learningRate * gradients[name]]);
  return Object.fromEntries(entries) as Parameters;
}
