/*
 * The exponential moving average of the parameters: a state for each trained parameter, updated in the last kernel of
 * the step.
 */
import { updatedLeaves, type Update } from "../graph/graph.ts";
import { state, stateOp, stepScalar, type StoredAttributes } from "../graph/leaves.ts";
import type { Tensor } from "../graph/tensor.ts";
import { isPack } from "../graph/traits.ts";
import { withParameters } from "../nn/start-from.ts";
import { add, multiply, subtract } from "../ops/elementwise/index.ts";
import { pack } from "../ops/layout/index.ts";
import { networkOf, type Network } from "./network.ts";
import type { Snapshot, StoredValues } from "./snapshot.ts";

const PREFIX = "average.";

/** The averages of the trained parameters, and their decay rate. */
export interface AveragePlan {
  readonly decay: number;
  /** The state with the average of each trained parameter. */
  readonly averages: ReadonlyMap<Tensor, Tensor>;
}

/** The averages start from the initial values of the parameters. */
export function planAverage(decay: number, trained: readonly Tensor[]): AveragePlan {
  const averages = trained.map((own) => {
    const { name, initial } = own.attributes as StoredAttributes;
    return [own, state(`${PREFIX}${name}`, own.shape, initial)] as const;
  });
  return { decay, averages: new Map(averages) };
}

/** 1 − the decay rate of a step, which is lower in the first steps so that the averages forget the initial values. */
export const averageRateAt = (decay: number, step: number): number => 1 - Math.min(decay, (1 + step) / (10 + step));

/** The updates of the averages that follow the updates of the parameters. */
export function averageUpdates({ decay, averages }: AveragePlan, updates: readonly Update[]): Update[] {
  const rate = stepScalar("averageRate", (step) => averageRateAt(decay, step));
  return updates
    .filter(({ target }) => target.op !== stateOp)
    .map(({ target, value }) => {
      const states = updatedLeaves(target).map((own) => averages.get(own)!);
      const average = isPack(target) ? pack(states) : states[0]!;
      return { target: average, value: add(average, multiply(subtract(value, average), rate)) };
    });
}

/** The network with the averages in place of its trained parameters. */
export const averagedNetwork = ({ model }: Network, { averages }: AveragePlan): Network =>
  networkOf(withParameters(model, averages));

/**
 * The parameters of a snapshot, with moving averages where available, for `saveModel`; see the option `averageDecay` of
 * `createTrainer`. Parameters without an average, such as frozen ones, are unchanged.
 */
export function averagedParameters({ parameters, optimizer }: Snapshot): Readonly<Record<string, StoredValues>> {
  const entries = Object.entries(parameters).map(
    ([name, values]) => [name, optimizer[`${PREFIX}${name}`] ?? values] as const,
  );
  return Object.fromEntries(entries);
}
