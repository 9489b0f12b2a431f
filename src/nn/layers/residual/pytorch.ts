import type { PytorchForm, PytorchModule, PytorchParameter } from "../forms.ts";
import { shortest } from "../images-pytorch.ts";

const RESIDUAL = `class Residual(nn.Module):
    def __init__(self, layers, projection):
        super().__init__()
        self.layers, self.projection = layers, projection
    def forward(self, x):
        return self.layers(x) + self.projection(x)`;

const renamed = ({ parameters = {} }: PytorchModule, prefix: string, path: string) =>
  Object.entries(parameters).map(([name, parameter]): [string, PytorchParameter] => {
    return [`${prefix}${name}`, { ...parameter, name: `${path}.${parameter.name}` }];
  });

/** The sum of two nn.Sequential. One without layers returns its input. */
function sum(inner: PytorchModule, around: PytorchModule | undefined): PytorchModule {
  return {
    code: `Residual(${inner.code}, ${around?.code ?? "nn.Identity()"})`,
    definitions: [RESIDUAL, ...(inner.definitions ?? []), ...(around?.definitions ?? [])],
    parameters: Object.fromEntries([
      ...renamed(inner, "", "layers"),
      ...(around ? renamed(around, "projection.", "projection") : []),
    ]),
  };
}

export const pytorch: PytorchForm = ({ layers, projection }, place) => {
  const isIdentity = (projection as readonly unknown[]).length === 0;
  return shortest(place, (...around) =>
    sum(place.chain(layers, ...around), isIdentity ? undefined : place.chain(projection, ...around)),
  );
};
