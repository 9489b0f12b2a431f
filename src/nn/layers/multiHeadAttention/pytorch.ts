import type { PytorchForm } from "../forms.ts";
import { argumentsCode } from "../images-pytorch.ts";
import { asIs, inLayout } from "../permute.ts";

/** nn.MultiheadAttention takes three inputs and has no rotary positions. Its parameters are kept. */
const SELF_ATTENTION = `class SelfAttention(nn.MultiheadAttention):
    def __init__(self, width, heads, causal=False, dropout=0.0, bias=True, rotary=False):
        super().__init__(width, heads, dropout=dropout, bias=bias, batch_first=True)
        self.causal, self.rotary = causal, rotary
    def forward(self, x):
        parts = nn.functional.linear(x, self.in_proj_weight, self.in_proj_bias).chunk(3, -1)
        q, k, v = (part.unflatten(-1, (self.num_heads, self.head_dim)).transpose(1, 2) for part in parts)
        if self.rotary:
            q, k = self.rotated(q), self.rotated(k)
        scores = q @ k.transpose(-2, -1) / self.head_dim ** 0.5
        if self.causal:
            scores = scores.masked_fill(torch.ones_like(scores[0, 0]).triu(1).bool(), float("-inf"))
        weights = nn.functional.dropout(scores.softmax(-1), self.dropout, self.training)
        return self.out_proj((weights @ v).transpose(1, 2).flatten(2))
    def rotated(self, x):
        rates = 10000 ** (-torch.arange(0, self.head_dim, 2).to(x) / self.head_dim)
        angles = torch.arange(x.size(-2)).to(x)[:, None] * rates
        even, odd = x[..., 0::2], x[..., 1::2]
        pairs = even * angles.cos() - odd * angles.sin(), odd * angles.cos() + even * angles.sin()
        return torch.stack(pairs, -1).flatten(-2)`;

const boolean = (value: unknown) => (value === true ? "True" : "False");

export const pytorch: PytorchForm = ({ heads, causal, dropout, bias, rotary }, { inputShape }) => {
  const more = argumentsCode([
    ["causal", boolean(causal), "False"],
    ["dropout", String(dropout as number), "0"],
    ["bias", boolean(bias), "True"],
    ["rotary", boolean(rotary), "False"],
  ]);
  return [
    {
      code: `SelfAttention(${inputShape.at(-1)}, ${heads as number}${more})`,
      definitions: [SELF_ATTENTION],
      parameters: {
        weight: inLayout("in_proj_weight", [1, 0]),
        "output.weight": inLayout("out_proj.weight", [1, 0]),
        ...(bias === true && { bias: asIs("in_proj_bias"), "output.bias": asIs("out_proj.bias") }),
      },
    },
  ];
};
