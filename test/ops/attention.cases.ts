import type { Tensor } from "../../src/graph/tensor.ts";
import {
  attention,
  attentionWeights,
  fusedAttention,
  plainAttention,
  rotateByPosition,
} from "../../src/ops/attention/index.ts";
import type { AttentionOptions } from "../../src/ops/attention/index.ts";
import { exactly, integersBelow, opCase, uniform, type InputSpec, type OpCase } from "./cases.ts";

const near1 = uniform(-1, 1);

/**
 * The weights of the keys sum to 1, so that an output is about as large as a value. A score joins `width` products, and its
 * error counts once for each key that a weight is compared with.
 */
const tolerance = (keys: number, width: number) => ({ c: 16, joined: keys + width, term: 1 });

const forms = { plainAttention, fusedAttention };

interface Sizes {
  readonly leading?: readonly number[];
  readonly queries: number;
  readonly keys?: number;
  readonly width: number;
  readonly values?: number;
}

type Parts = Partial<OpCase> & { readonly options?: (inputs: Readonly<Record<string, Tensor>>) => AttentionOptions };

function attentionCase(
  form: keyof typeof forms,
  name: string,
  { leading = [2], queries, keys = queries, width, values = width }: Sizes,
  { options = () => ({}), ...parts }: Parts = {},
): OpCase {
  const shapes = { q: [...leading, queries, width], k: [...leading, keys, width], v: [...leading, keys, values] };
  const drawn = Object.entries(shapes).map(([leaf, shape]): [string, InputSpec] => [leaf, { shape, draw: near1 }]);
  return opCase({
    name: `${form} ${name}`,
    covers: [form],
    differentiable: { q: keys + values, k: queries + values, v: queries },
    tolerance: tolerance(keys, width),
    ...parts,
    inputs: { ...Object.fromEntries(drawn), ...parts.inputs },
    build: (inputs) => forms[form](inputs["q"]!, inputs["k"]!, inputs["v"]!, options(inputs)),
  });
}

type Rest = Parameters<typeof attentionCase> extends [unknown, ...infer Others] ? Others : never;

const bothForms = (...rest: Rest): OpCase[] => [
  attentionCase("plainAttention", ...rest),
  attentionCase("fusedAttention", ...rest),
];

const causal: Parts = { options: () => ({ causal: true }) };

/** Without gradients, whose kernels take long to compile. */
const forwardOnly: Parts = { differentiable: {}, parityOnly: true };

const padding = (isCausal: boolean): Parts => ({
  inputs: { mask: { shape: [3, 1, 1, 4], draw: exactly(1, 1, 0, 0, 0, 1, 1, 1, 0, 0, 0, 0) } },
  options: ({ mask }) => ({ mask: mask!, causal: isCausal }),
});

const padded = { leading: [3, 2], queries: 4, width: 3, values: 5 };

/** The weight of a single key is 1, whatever the scores are. */
const oneKey = { queries: 1, keys: 1, width: 1, values: 1 };

/** A weight is at most 1. A score joins `width` products, and its error counts once for each key. */
const weights = (name: string, isCausal: boolean): OpCase =>
  opCase({
    name: `attentionWeights ${name}`,
    covers: ["attentionWeights"],
    differentiable: { q: 5, k: 5 },
    tolerance: tolerance(5, 4),
    inputs: { q: { shape: [2, 5, 4], draw: near1 }, k: { shape: [2, 5, 4], draw: near1 } },
    build: ({ q, k }) => attentionWeights(q!, k!, { causal: isCausal }),
  });

const basic: readonly OpCase[] = [
  weights("of 5 queries to 5 keys", false),
  weights("over 5 positions, causal", true),
  ...bothForms("of 3 queries to 5 keys", { queries: 3, keys: 5, width: 4, values: 2 }),
  attentionCase("plainAttention", "of 17 queries to 3 keys", { queries: 17, keys: 3, width: 1, values: 17 }),
  attentionCase("plainAttention", "of one query to one key", oneKey, { parityOnly: true }),
  attentionCase("fusedAttention", "of one query to one key", oneKey, forwardOnly),
  attentionCase(
    "plainAttention",
    "over 17 positions, causal",
    { leading: [2, 3], queries: 17, width: 4, values: 3 },
    causal,
  ),
  attentionCase(
    "plainAttention",
    "over 65 positions, causal",
    { leading: [1, 2], queries: 65, width: 16 },
    { ...causal, parityOnly: true },
  ),
  attentionCase("plainAttention", "with padding, and an example of padding only", padded, padding(false)),
  ...bothForms("with padding, and an example of padding only, causal", padded, padding(true)),
];

/** Sizes above one tile. assembly/ is tested with more of them. */
const tiles: readonly OpCase[] = [
  attentionCase(
    "fusedAttention",
    "over 65 positions of width 80, causal",
    { queries: 65, width: 80 },
    { ...causal, parityOnly: true },
  ),
  attentionCase(
    "fusedAttention",
    "over 257 positions, causal",
    { leading: [1], queries: 257, width: 64 },
    { ...causal, ...forwardOnly },
  ),
  attentionCase(
    "fusedAttention",
    "with a mask of each query and key",
    { leading: [2, 2], queries: 3, keys: 70, width: 4 },
    {
      inputs: { mask: { shape: [2, 1, 3, 70], draw: integersBelow(2) } },
      options: ({ mask }) => ({ mask: mask! }),
      ...forwardOnly,
    },
  ),
];

const dropout: Parts = {
  inputs: { key: { shape: [], dtype: "uint32", draw: exactly(12_345) } },
  options: ({ key }) => ({ dropout: { rate: 0.5, key: key! } }),
  tolerance: { ...tolerance(6, 4), term: 2 },
};

const dropped = bothForms("with dropout", { queries: 5, keys: 6, width: 4, values: 3 }, dropout);

const chosen = opCase({
  name: "attention in heads of three examples",
  covers: ["attention"],
  inputs: Object.fromEntries(["q", "k", "v"].map((leaf) => [leaf, { shape: [3, 2, 5, 4], draw: near1 }])),
  build: ({ q, k, v }) => attention(q!, k!, v!, { causal: true }),
  differentiable: { q: 9, k: 9, v: 5 },
  tolerance: tolerance(5, 4),
});

const rotations = (
  [
    ["rotateByPosition of heads", [2, 3, 5, 6], {}],
    ["rotateByPosition along another axis, with another base", [2, 17, 1, 3, 2], { axis: 1, base: 100 }],
  ] as const
).map(([name, shape, options]): OpCase =>
  opCase({
    name,
    covers: ["rotateByPosition"],
    inputs: { x: { shape, draw: near1 } },
    build: ({ x }) => rotateByPosition(x, options),
    differentiable: { x: 2 },
    tolerance: { c: 4, joined: 2, term: 1 },
  }),
);

export const cases: readonly OpCase[] = [...basic, ...tiles, ...dropped, chosen, ...rotations];
