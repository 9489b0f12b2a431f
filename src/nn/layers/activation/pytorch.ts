import type { ActivationName } from "../../activations.ts";
import type { PytorchForm, PytorchModule } from "../forms.ts";
import { exportedActivation } from "./exported.ts";

/** The module of each activation. PyTorch's default parameters are the same as wgrad's. */
const modules: Readonly<Record<ActivationName, PytorchModule>> = {
  identity: { code: "nn.Identity()" },
  step: {
    code: "Step()",
    definitions: ['Step = type("Step", (nn.Module,), {"forward": lambda self, x: (x >= 0).to(x.dtype)})'],
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
const activationModule = (name: unknown): PytorchModule => ({
  ...exportedActivation("PyTorch", modules, name),
  elementwise: true,
});

/** The module of a layer's option "activation", if it is needed. */
export const activationModules = (name: unknown): PytorchModule[] =>
  name === "identity" ? [] : [activationModule(name)];

export const pytorch: PytorchForm = ({ name }) => [activationModule(name)];
