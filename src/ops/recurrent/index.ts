/*
 * Recurrent networks, unrolled: the input's products of all steps are one product, and so is the gradient of each weight.
 */
import { GraphError } from "../../errors.ts";
import { requireType, sameShape, type Shape, type Tensor } from "../../graph/tensor.ts";
import { add, multiply, sigmoid, subtract, tanh } from "../elementwise/index.ts";
import { split } from "../indexing/index.ts";
import { matmul } from "../matmul/index.ts";
import type { Precision } from "../../precisions.ts";
import { tensorsOfState, type GruState, type LstmState } from "./state.ts";
import { unrolled, type Cell } from "./unrolled.ts";

export type { GruState, LstmState } from "./state.ts";

/** The weights of a recurrent network. Gates are along the last axis, in PyTorch's order. */
export interface RecurrentWeights {
  /** Of the inputs, float32 [width, gates · units]. */
  readonly weight: Tensor;
  /** Of the outputs of the step before, float32 [units, gates · units]. */
  readonly recurrentWeight: Tensor;
  /** Float32 [gates · units]; none by default. */
  readonly bias?: Tensor;
  readonly recurrentBias?: Tensor;
}

/** The options of `gru` and `lstm`. */
export interface RecurrentOptions<State extends GruState = GruState> {
  /** Whether to return the outputs of all steps; false, the default, returns those of the step that is read last. */
  readonly sequences?: boolean;
  /** The state before the step that is read first; zeros by default. */
  readonly state?: State;
  /**
   * Whether to read the sequence from its end; false by default. The outputs of all steps stay in the order of the sequence. That of
   * the first position is then read last.
   */
  readonly reverse?: boolean;
  /** The precision of products; "float32" by default. See `matmul`. */
  readonly precision?: Precision;
}

/** The output of a recurrent network, and its state after the step that is read last. */
export interface RecurrentResult<State extends GruState = GruState> {
  readonly output: Tensor;
  readonly state: State;
}

const gruCell: Cell = (step, product, before) => {
  const units = step.shape[1]! / 3;
  const [r, z, n] = split(step, 3, 1) as [Tensor, Tensor, Tensor];
  if (!product) return gruOutput(sigmoid(z), tanh(n), before);
  const [ofR, ofZ, ofN] = split(product, [units, units, units], 1) as [Tensor, Tensor, Tensor];
  const reset = sigmoid(add(r, ofR));
  return gruOutput(sigmoid(add(z, ofZ)), tanh(add(n, multiply(reset, ofN))), before);
};

/** (1 − z) · n + z · h. */
function gruOutput(z: Tensor, n: Tensor, before: readonly Tensor[]): Tensor[] {
  const [h] = before;
  return [h ? add(n, multiply(z, subtract(h, n))) : multiply(subtract(1, z), n)];
}

const lstmCell: Cell = (step, product, [, c]) => {
  const [i, f, g, o] = split(product ? add(step, product) : step, 4, 1) as [Tensor, Tensor, Tensor, Tensor];
  const fresh = multiply(sigmoid(i), tanh(g));
  const cell = c ? add(multiply(sigmoid(f), c), fresh) : fresh;
  return [multiply(sigmoid(o), tanh(cell)), cell];
};

/** A kind of recurrent network: its states are those of the cell, in order. */
interface RecurrentKind {
  readonly where: string;
  readonly cell: Cell;
  readonly gates: number;
  readonly states: readonly string[];
}

const gruKind: RecurrentKind = { where: "gru", cell: gruCell, gates: 3, states: ["h"] };
const lstmKind: RecurrentKind = { where: "lstm", cell: lstmCell, gates: 4, states: ["h", "c"] };

/**
 * A gated recurrent unit (Cho et al. 2014), with the formulas of PyTorch's `nn.GRU`: r = σ(x·Wᵣ + bᵣ + h·Uᵣ + cᵣ), z
 * likewise, n = tanh(x·Wₙ + bₙ + r · (h·Uₙ + cₙ)), and h becomes (1 − z) · n + z · h, from zeros or a given state. Gates are in the
 * order r, z, n.
 * @param x float32 [batch, length, width]
 * @returns [batch, length, units] with `sequences`, else [batch, units]
 * @throws GraphError if shapes do not fit
 */
export const gru = (x: Tensor, weights: RecurrentWeights, options: RecurrentOptions = {}): Tensor =>
  recurrent(gruKind, x, weights, options, false).output;

/**
 * As `gru`, with the state after the step that is read last.
 * @throws GraphError, as `gru` does
 */
export const gruWithState = (x: Tensor, weights: RecurrentWeights, options: RecurrentOptions = {}): RecurrentResult =>
  recurrent(gruKind, x, weights, options, true);

/**
 * Long short-term memory (Hochreiter and Schmidhuber 1997), with the formulas of PyTorch's `nn.LSTM`: the gates i, f, g, o
 * are parts of x·W + b + h·U + c, the cell becomes σ(f) · cell + σ(i) · tanh(g), and h = σ(o) · tanh(cell), from zeros or a
 * given state.
 * @param x float32 [batch, length, width]
 * @returns [batch, length, units] with `sequences`, else [batch, units]
 * @throws GraphError if shapes do not fit
 */
export const lstm = (x: Tensor, weights: RecurrentWeights, options: RecurrentOptions<LstmState> = {}): Tensor =>
  recurrent(lstmKind, x, weights, options, false).output;

/**
 * As `lstm`, with the state after the step that is read last.
 * @throws GraphError, as `lstm` does
 */
export const lstmWithState = (
  x: Tensor,
  weights: RecurrentWeights,
  options: RecurrentOptions<LstmState> = {},
): RecurrentResult<LstmState> => recurrent(lstmKind, x, weights, options, true) as RecurrentResult<LstmState>;

function recurrent(
  { where, cell, gates, states }: RecurrentKind,
  x: Tensor,
  weights: RecurrentWeights,
  options: RecurrentOptions,
  withState: boolean,
): RecurrentResult {
  const { weight, recurrentWeight, bias, recurrentBias } = weights;
  const { sequences = false, precision = "float32", reverse = false, state } = options;
  requireType(where, x, "float32");
  requireType(`${where} recurrentWeight`, recurrentWeight, "float32");
  const units = recurrentWeight.shape[0] ?? 0;
  if (x.shape.length !== 3) {
    throw new GraphError({ where, what: `${x} is no batch of sequences`, fix: "Give [batch, length, width]" });
  }
  requireShape(where, "weight", weight, [x.shape[2]!, gates * units]);
  requireShape(where, "recurrentWeight", recurrentWeight, [units, gates * units]);
  if (bias) requireShape(where, "bias", bias, [gates * units]);
  if (recurrentBias) requireShape(where, "recurrentBias", recurrentBias, [gates * units]);
  const initial = state ? tensorsOfState(where, state, states, [x.shape[0]!, units]) : [];
  const product = matmul(x, weight, { precision });
  const projected = bias ? add(product, bias) : product;
  const made = { cell, sequences, precision, initial, reverse, withState };
  const found = unrolled(projected, recurrentWeight, recurrentBias, made);
  const named = found.state.map((tensor, index) => [states[index]!, tensor] as const);
  return { output: found.output, state: Object.fromEntries(named) as unknown as GruState };
}

function requireShape(where: string, name: string, tensor: Tensor, shape: Shape): void {
  requireType(`${where} ${name}`, tensor, "float32");
  if (sameShape(tensor.shape, shape)) return;
  const what = `its ${name} is ${tensor} instead of [${shape.join(", ")}]`;
  throw new GraphError({ where, what, fix: "Give weights of the same number of units, and of the input's width" });
}
