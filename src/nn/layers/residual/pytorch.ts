import type { PytorchForm, PytorchParameter } from "../forms.ts";

const RESIDUAL = `class Residual(nn.Module):
    def __init__(self, layers, projection):
        super().__init__()
        self.layers, self.projection = layers, projection
    def forward(self, x):
        return self.layers(x) + self.projection(x)`;

export const pytorch: PytorchForm = ({ layers, projection }, { chain }) => {
  const inner = chain(layers);
  const around = chain(projection);
  const renamed = (parameters: Readonly<Record<string, PytorchParameter>> = {}, prefix: string, path: string) =>
    Object.entries(parameters).map(([name, parameter]) => {
      return [`${prefix}${name}`, { ...parameter, name: `${path}.${parameter.name}` }] as const;
    });
  return [
    {
      code: `Residual(${inner.code}, ${(projection as readonly unknown[]).length === 0 ? "nn.Identity()" : around.code})`,
      definitions: [RESIDUAL, ...(inner.definitions ?? []), ...(around.definitions ?? [])],
      parameters: Object.fromEntries([
        ...renamed(inner.parameters, "", "layers"),
        ...renamed(around.parameters, "projection.", "projection"),
      ]),
    },
  ];
};
