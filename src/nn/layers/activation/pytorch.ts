import type { ActivationName } from "../../activations.ts";
import { entryOf } from "../../checks.ts";
import type { PytorchForm, PytorchModule } from "../forms.ts";

/** The module of each activation. PyTorch's default parameters are the same as wgrad's. */
const activationModules: Readonly<Record<ActivationName, PytorchModule>> = {
  identity: { code: "nn.Identity()" },
  step: {
    code: "Step()",
    definition: 'Step = type("Step", (nn.Module,), {"forward": lambda self, x: (x >= 0).to(x.dtype)})',
  },
  sigmoid: { code: "nn.Sigmoid()" },
  tanh: { code: "nn.Tanh()" },
  relu: { code: "nn.ReLU()" },
  leakyRelu: { code: "nn.LeakyReLU()" },
  elu: { code: "nn.ELU()" },
  softplus: { code: "nn.Softplus()" },
  gelu: { code: "nn.GELU()" },
  geluTanh: { code: 'nn.GELU(approximate="tanh")' },
  silu: { code: "nn.SiLU()" },
};

/** @throws OptionError for a custom activation */
export const activationModule = (name: unknown): PytorchModule =>
  entryOf("PyTorch", "activation", activationModules, name);

export const pytorch: PytorchForm = { modules: ({ name }) => [activationModule(name)] };
