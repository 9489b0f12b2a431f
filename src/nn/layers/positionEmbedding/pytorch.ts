import type { PytorchForm } from "../forms.ts";
import { asIs } from "../permute.ts";

const POSITIONS = `class PositionEmbedding(nn.Embedding):
    def forward(self, x):
        return x + self.weight[:x.size(1)]`;

export const pytorch: PytorchForm = ({ length }, { inputShape }) => [
  {
    code: `PositionEmbedding(${length as number}, ${inputShape.at(-1)})`,
    definitions: [POSITIONS],
    parameters: { weight: asIs("weight") },
  },
];
