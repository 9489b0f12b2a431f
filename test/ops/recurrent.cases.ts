import type { Tensor } from "../../src/graph/tensor.ts";
import { concat } from "../../src/ops/indexing/index.ts";
import { reshape } from "../../src/ops/layout/index.ts";
import {
  gru,
  gruWithState,
  lstm,
  lstmWithState,
  type LstmState,
  type RecurrentWeights,
} from "../../src/ops/recurrent/index.ts";
import { opCase, uniform, type InputSpec, type OpCase } from "./cases.ts";

const near1 = uniform(-1, 1);

interface Sizes {
  readonly batch: number;
  readonly length: number;
  readonly width: number;
  readonly units: number;
}

/** The number of terms in the gradient of a weight, which is the longest. */
const tolerance = ({ batch, length, width, units }: Sizes) => ({
  c: 16,
  joined: batch * length + width + units,
  term: 1,
});

const networks = {
  gru: { apply: gru, applyWithState: gruWithState, gates: 3, states: ["h"] },
  lstm: { apply: lstm, applyWithState: lstmWithState, gates: 4, states: ["h", "c"] },
};

/** How a network is applied. */
interface Use {
  readonly sequences?: boolean;
  readonly bias?: boolean;
  readonly reverse?: boolean;
  /** Whether it starts from a given state. */
  readonly initial?: boolean;
  /** Whether the result is the output and the final state, joined. */
  readonly final?: boolean;
}

function recurrentCase(name: "gru" | "lstm", sizes: Sizes, use: Use): OpCase {
  const { batch, length, width, units } = sizes;
  const { sequences = false, bias = false, reverse = false, initial = false, final = false } = use;
  const { apply, applyWithState, gates, states } = networks[name];
  const joined = batch * length;
  const columns = gates * units;
  const initials = initial ? states.map((state) => `${state}0`) : [];
  const inputs: Record<string, InputSpec> = {
    x: { shape: [batch, length, width], draw: near1 },
    weight: { shape: [width, columns], draw: near1 },
    recurrentWeight: { shape: [units, columns], draw: near1 },
    ...(bias && { bias: { shape: [columns], draw: near1 }, recurrentBias: { shape: [columns], draw: near1 } }),
    ...Object.fromEntries(initials.map((state) => [state, { shape: [batch, units], draw: near1 }])),
  };
  const parts = [
    sequences ? "all outputs" : "last outputs",
    ...Object.keys(use).filter((part) => part !== "sequences"),
  ];
  return opCase({
    name: `${name} of [${batch}, ${length}, ${width}], ${parts.join(", ")}`,
    covers: [final ? `${name}WithState` : name],
    inputs,
    build({ x, h0, c0, ...rest }) {
      const weights = rest as unknown as RecurrentWeights;
      const state = (initial ? { h: h0!, ...(c0 && { c: c0 }) } : undefined) as LstmState | undefined;
      const options = { sequences, reverse, state };
      if (!final) return apply(x!, weights, options);
      const { output, state: end } = applyWithState(x!, weights, options);
      const all = [output, ...Object.values(end as LstmState)] as Tensor[];
      return concat(
        all.map((tensor) => reshape(tensor, [batch, -1])),
        1,
      );
    },
    differentiable: {
      x: columns,
      weight: joined,
      recurrentWeight: joined,
      ...(bias && { bias: joined, recurrentBias: joined }),
      ...Object.fromEntries(initials.map((state) => [state, columns])),
    },
    tolerance: tolerance(sizes),
    // In a single step without an initial state, the recurrent weight has no effect.
    parityOnly: length === 1 && !initial,
    gradientTolerance: { c: 16, joined: joined * columns, term: 1 },
  });
}

export const cases: readonly OpCase[] = (["gru", "lstm"] as const).flatMap((name) => [
  recurrentCase(name, { batch: 3, length: 1, width: 2, units: 3 }, { sequences: true, bias: true }),
  recurrentCase(name, { batch: 2, length: 1, width: 2, units: 1 }, {}),
  recurrentCase(name, { batch: 2, length: 5, width: 3, units: 4 }, { sequences: true, bias: true }),
  recurrentCase(name, { batch: 3, length: 4, width: 1, units: 2 }, {}),
  recurrentCase(name, { batch: 1, length: 19, width: 2, units: 3 }, { sequences: true }),
  recurrentCase(name, { batch: 2, length: 4, width: 3, units: 3 }, { sequences: true, reverse: true, bias: true }),
  recurrentCase(name, { batch: 2, length: 3, width: 2, units: 4 }, { reverse: true, initial: true }),
  recurrentCase(name, { batch: 3, length: 1, width: 2, units: 3 }, { bias: true, initial: true, final: true }),
  recurrentCase(name, { batch: 2, length: 4, width: 1, units: 3 }, { sequences: true, initial: true, final: true }),
  recurrentCase(
    name,
    { batch: 1, length: 17, width: 2, units: 2 },
    { sequences: true, bias: true, reverse: true, final: true },
  ),
]);
