import type { Tensor } from "../../../src/graph/tensor.ts";
import { attention, rotateByPosition } from "../../../src/ops/attention/index.ts";
import { concat } from "../../../src/ops/indexing/index.ts";
import { reshape } from "../../../src/ops/layout/index.ts";
import { gru, gruWithState, lstm, lstmWithState, type RecurrentWeights } from "../../../src/ops/recurrent/index.ts";
import { exactly } from "../cases.ts";
import { comparison, floats, type Comparison } from "./comparison.ts";

const heads = { q: floats(2, 3, 5, 4), k: floats(2, 3, 5, 4), v: floats(2, 3, 5, 2) };

const attentions = [
  comparison("attention", heads, ({ q, k, v }) => attention(q, k, v), "(q @ k.mT / 2).softmax(-1) @ v"),
  comparison(
    "attention",
    heads,
    ({ q, k, v }) => attention(q, k, v, { causal: true }),
    "(q @ k.mT / 2 + torch.full((5, 5), -math.inf).triu(1)).softmax(-1) @ v",
  ),
  comparison(
    "attention",
    { ...heads, mask: { shape: [2, 1, 1, 5], draw: exactly(1, 1, 0, 1, 0, 0, 1, 1, 1, 1) } },
    ({ q, k, v, mask }) => attention(q, k, v, { mask }),
    "(q @ k.mT / 2).masked_fill(mask == 0, -math.inf).softmax(-1) @ v",
    ["q", "k", "v"],
  ),
  // 260 keys: one fused kernel.
  comparison(
    "attention",
    { q: floats(1, 2, 4), k: floats(1, 260, 4), v: floats(1, 260, 1) },
    ({ q, k, v }) => attention(q, k, v),
    "F.softmax(q @ k.mT / 2, -1) @ v",
    ["q"],
  ),
  comparison(
    "rotateByPosition",
    { x: floats(2, 5, 4) },
    ({ x }) => rotateByPosition(x, { base: 100 }),
    "torch.view_as_real(torch.view_as_complex(x.reshape(2, 5, 2, 2)) * turns(5, 4, 100)).reshape(2, 5, 4)",
  ),
];

const weightsOf = (gates: number) => ({
  x: floats(2, 4, 3),
  weight: floats(3, gates * 2),
  recurrentWeight: floats(2, gates * 2),
  bias: floats(gates * 2),
  recurrentBias: floats(gates * 2),
});

const recurrent = [
  comparison(
    "gru",
    weightsOf(3),
    ({ x, ...weights }) => gru(x, weights as RecurrentWeights, { sequences: true }),
    "torch.gru(x, torch.zeros(1, 2, 2), [weight.T, recurrentWeight.T, bias, recurrentBias], True, 1, 0.0, False, False, True)[0]",
  ),
  comparison(
    "lstm",
    weightsOf(4),
    ({ x, ...weights }) => lstm(x, weights as RecurrentWeights),
    "torch.lstm(x, [torch.zeros(1, 2, 2)] * 2, [weight.T, recurrentWeight.T, bias, recurrentBias], True, 1, 0.0, False, False, True)[0][:, -1]",
  ),
];

/** The arguments of `torch.gru` and `torch.lstm` after the state. */
const others = "[weight.T, recurrentWeight.T, bias, recurrentBias], True, 1, 0.0, False, False, True";

const fromEnd = [
  comparison(
    "gru",
    weightsOf(3),
    ({ x, ...weights }) => gru(x, weights as RecurrentWeights, { sequences: true, reverse: true }),
    `torch.gru(x.flip(1), torch.zeros(1, 2, 2), ${others})[0].flip(1)`,
  ),
  comparison(
    "lstm",
    { ...weightsOf(4), h: floats(2, 2), c: floats(2, 2) },
    ({ x, h, c, ...weights }) => lstm(x, weights as RecurrentWeights, { reverse: true, state: { h: h!, c: c! } }),
    `torch.lstm(x.flip(1), [h[None], c[None]], ${others})[0][:, -1]`,
  ),
];

/** The outputs and the final state of each example, one after another. */
const together = (...tensors: readonly Tensor[]) =>
  concat(
    tensors.map((tensor) => reshape(tensor, [2, -1])),
    1,
  );

const withStates = [
  comparison(
    "gruWithState",
    { ...weightsOf(3), h: floats(2, 2) },
    ({ x, h, ...weights }) => {
      const found = gruWithState(x, weights as RecurrentWeights, { sequences: true, state: { h: h! } });
      return together(found.output, found.state.h);
    },
    `(lambda y, h: torch.cat([y.flatten(1), h[0]], 1))(*torch.gru(x, h[None], ${others}))`,
  ),
  comparison(
    "lstmWithState",
    { ...weightsOf(4), h: floats(2, 2), c: floats(2, 2) },
    ({ x, h, c, ...weights }) => {
      const found = lstmWithState(x, weights as RecurrentWeights, { sequences: true, state: { h: h!, c: c! } });
      return together(found.output, found.state.h, found.state.c);
    },
    `(lambda y, h, c: torch.cat([y.flatten(1), h[0], c[0]], 1))(*torch.lstm(x, [h[None], c[None]], ${others}))`,
  ),
];

export const comparisons: readonly Comparison[] = [...attentions, ...recurrent, ...fromEnd, ...withStates];
