import type { PytorchForm, PytorchModule } from "../forms.ts";
import { shortest } from "../images-pytorch.ts";
import { innerParameters } from "../inner-pytorch.ts";

const RESIDUAL = `class Residual(nn.Module):
    def __init__(self, layers, projection):
        super().__init__()
        self.layers, self.projection = layers, projection
    def forward(self, x):
        return self.layers(x) + self.projection(x)`;

/** The sum of two nn.Sequential. One without layers returns its input. */
function sum(inner: PytorchModule, around: PytorchModule | undefined): PytorchModule {
  return {
    code: `Residual(${inner.code}, ${around?.code ?? "nn.Identity()"})`,
    definitions: [RESIDUAL, ...(inner.definitions ?? []), ...(around?.definitions ?? [])],
    parameters: {
      ...innerParameters(inner, "", "layers"),
      ...(around && innerParameters(around, "projection.", "projection")),
    },
  };
}

export const pytorch: PytorchForm = ({ layers, projection }, place) => {
  const isIdentity = (projection as readonly unknown[]).length === 0;
  return shortest(place, (around) =>
    sum(place.chain(layers, around), isIdentity ? undefined : place.chain(projection, around)),
  );
};
