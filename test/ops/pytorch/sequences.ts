import { attention, rotateByPosition } from "../../../src/ops/attention/index.ts";
import { gru, lstm, type RecurrentWeights } from "../../../src/ops/recurrent/index.ts";
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

export const comparisons: readonly Comparison[] = [...attentions, ...recurrent];
