import { gru, lstm, type RecurrentWeights } from "../../src/ops/recurrent/index.ts";
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

const networks = { gru: { apply: gru, gates: 3 }, lstm: { apply: lstm, gates: 4 } };

function recurrentCase(name: "gru" | "lstm", sizes: Sizes, sequences: boolean, bias: boolean): OpCase {
  const { batch, length, width, units } = sizes;
  const { apply, gates } = networks[name];
  const joined = batch * length;
  const columns = gates * units;
  const inputs: Record<string, InputSpec> = {
    x: { shape: [batch, length, width], draw: near1 },
    weight: { shape: [width, columns], draw: near1 },
    recurrentWeight: { shape: [units, columns], draw: near1 },
    ...(bias && { bias: { shape: [columns], draw: near1 }, recurrentBias: { shape: [columns], draw: near1 } }),
  };
  return opCase({
    name: `${name} of [${batch}, ${length}, ${width}], ${sequences ? "all" : "last"} outputs${bias ? "" : ", without bias"}`,
    covers: [name],
    inputs,
    build: ({ x, ...weights }) => apply(x!, weights as unknown as RecurrentWeights, { sequences }),
    differentiable: {
      x: columns,
      weight: joined,
      recurrentWeight: joined,
      ...(bias && { bias: joined, recurrentBias: joined }),
    },
    tolerance: tolerance(sizes),
    // In a single step, the recurrent weight has no effect.
    parityOnly: length === 1,
    gradientTolerance: { c: 16, joined: joined * columns, term: 1 },
  });
}

export const cases: readonly OpCase[] = (["gru", "lstm"] as const).flatMap((name) => [
  recurrentCase(name, { batch: 3, length: 1, width: 2, units: 3 }, true, true),
  recurrentCase(name, { batch: 2, length: 1, width: 2, units: 1 }, false, false),
  recurrentCase(name, { batch: 2, length: 5, width: 3, units: 4 }, true, true),
  recurrentCase(name, { batch: 3, length: 4, width: 1, units: 2 }, false, false),
  recurrentCase(name, { batch: 1, length: 19, width: 2, units: 3 }, true, false),
]);
