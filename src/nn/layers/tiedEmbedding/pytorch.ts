import type { PytorchForm } from "../forms.ts";
import { innerParameters } from "../inner-pytorch.ts";
import { asIs } from "../permute.ts";

const TIED = `class TiedEmbedding(nn.Module):
    def __init__(self, entries, width, layers):
        super().__init__()
        self.weight = nn.Parameter(torch.empty(entries, width))
        self.layers = layers
    def forward(self, x):
        return self.layers(nn.functional.embedding(x.long(), self.weight)) @ self.weight.T`;

export const pytorch: PytorchForm = ({ entries, width, layers }, { inputShape, chain }) => {
  const inner = chain(layers, { inputShape: [...inputShape, width as number] });
  return [
    {
      code: `TiedEmbedding(${entries as number}, ${width as number}, ${inner.code})`,
      definitions: [TIED, ...(inner.definitions ?? [])],
      parameters: { weight: asIs("weight"), ...innerParameters(inner, "", "layers") },
    },
  ];
};
