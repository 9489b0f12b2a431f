import type { PytorchForm } from "../forms.ts";
import { asIs } from "../permute.ts";

const INDICES = 'Indices = type("Indices", (nn.Module,), {"forward": lambda self, x: x.long()})';

export const pytorch: PytorchForm = ({ entries, width }) => [
  { code: "Indices()", definitions: [INDICES] },
  { code: `nn.Embedding(${entries as number}, ${width as number})`, parameters: { weight: asIs("weight") } },
];
