/* A network whose gradient can be spoiled, in one element of one parameter, at one step. */
import { parameter, constant, stepScalar } from "../../src/graph/leaves.ts";
import { stridesOf, type Tensor } from "../../src/graph/tensor.ts";
import type { Model } from "../../src/nn/index.ts";
import { add, equal, log, relu, select } from "../../src/ops/elementwise/index.ts";
import { elementwise } from "../../src/ops/elementwise/function.ts";
import { axisIndex, reshape } from "../../src/ops/layout/index.ts";
import { matmul } from "../../src/ops/matmul/index.ts";
import { Random } from "../../src/random.ts";

/** What is added to one element of a parameter's gradient. */
export interface Poison {
  readonly parameter: string;
  readonly element: number;
  readonly amount: Tensor;
}

/** Finite 0 but for one step, counted from 0, at which it is NaN or infinite. Graphs have no such constants. */
export const notFiniteAt = (at: number, value: "NaN" | "infinite"): Tensor =>
  log(
    add(
      stepScalar("poison", (step) => (step === at ? (value === "NaN" ? -2 : -1) : 0)),
      1,
    ),
  );

/** x, with a gradient that has the amount added at one element. */
const poisoned = (x: Tensor, { element, amount }: Poison): Tensor =>
  elementwise({
    name: "poisoned",
    arity: 1,
    cpu: (value) => value!,
    wgsl: "poisoned",
    source: "fn poisoned(x: f32) -> f32 { return x; }",
    gradient(upstream) {
      const isElement = equal(axisIndex([x.size], 0), constant(element, [], "uint32"));
      return [add(upstream, reshape(select(isElement, amount, 0), x.shape))];
    },
  })([x]);

const WIDTHS = [4, 6, 3] as const;

/** Two dense layers with relu between, as `sequential` names their parameters. */
export function poisonedNetwork(poisons: readonly Poison[]): Model {
  const random = new Random(7);
  const drawn = (name: string, ...shape: number[]) =>
    parameter(
      name,
      shape,
      Array.from({ length: shape[0]! * stridesOf(shape)[0]! }, () => random.uniform(-0.5, 0.5)),
    );
  const parameters = [0, 1].flatMap((layer) => [
    drawn(`layers.${layer}.weight`, WIDTHS[layer]!, WIDTHS[layer + 1]!),
    drawn(`layers.${layer}.bias`, WIDTHS[layer + 1]!),
  ]);
  const [firstWeight, firstBias, secondWeight, secondBias] = parameters.map((own) =>
    poisons
      .filter((poison) => poison.parameter === (own.attributes as { name: string }).name)
      .reduce((value: Tensor, poison) => poisoned(value, poison), own),
  ) as [Tensor, Tensor, Tensor, Tensor];
  const applyEach = (x: Tensor) => {
    const hidden = relu(add(matmul(x, firstWeight), firstBias));
    return [hidden, add(matmul(hidden, secondWeight), secondBias)];
  };
  return {
    parameters,
    states: [],
    shapes: WIDTHS.map((width) => [width]),
    inputShape: [WIDTHS[0]],
    outputShape: [WIDTHS[2]],
    seed: 1,
    config: { inputShape: [WIDTHS[0]], seed: 1, layers: [] },
    apply: (x) => applyEach(x).at(-1)!,
    applyEach,
  };
}
