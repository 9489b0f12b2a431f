import type { PytorchForm } from "../forms.ts";
import { innerParameters } from "../inner-pytorch.ts";
import { asIs } from "../permute.ts";

const TIED = `class TiedEmbedding(nn.Module):
    def __init__(self, entries, width, layers, bias=False):
        super().__init__()
        self.weight = nn.Parameter(torch.empty(entries, width))
        self.bias = nn.Parameter(torch.empty(entries)) if bias else None
        self.layers = layers
    def forward(self, x):
        vectors = self.layers(nn.functional.embedding(x.long(), self.weight))
        return nn.functional.linear(vectors, self.weight, self.bias)`;

export const pytorch: PytorchForm = ({ entries, width, layers, bias }, { inputShape, chain }) => {
  const inner = chain(layers, { inputShape: [...inputShape, width as number] });
  return [
    {
      code: `TiedEmbedding(${entries as number}, ${width as number}, ${inner.code}${bias === true ? ", bias=True" : ""})`,
      definitions: [TIED, ...(inner.definitions ?? [])],
      parameters: {
        weight: asIs("weight"),
        ...(bias === true && { bias: asIs("bias") }),
        ...innerParameters(inner, "", "layers"),
      },
    },
  ];
};
