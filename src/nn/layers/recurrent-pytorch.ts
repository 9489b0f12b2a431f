import type { LayerPlace, PytorchModule } from "./forms.ts";
import { argumentsCode } from "./images-pytorch.ts";
import type { LayerConfig } from "./layer.ts";
import { asIs, inLayout } from "./permute.ts";

/** A module of PyTorch that returns its output alone, with the same parameters. */
const definition = (module: string) => `class ${module}(nn.${module}):
    def __init__(self, width, units, sequences=False, bias=True):
        super().__init__(width, units, bias=bias, batch_first=True)
        self.sequences = sequences
    def forward(self, x):
        outputs, _ = super().forward(x)
        return outputs if self.sequences else outputs[:, -1]`;

/** @param module "GRU" or "LSTM" */
export function recurrentModule(module: string, config: LayerConfig, { inputShape }: LayerPlace): PytorchModule {
  const { units, sequences, bias } = config;
  const more = argumentsCode([
    ["sequences", sequences === true ? "True" : "False", "False"],
    ["bias", bias === true ? "True" : "False", "True"],
  ]);
  return {
    code: `${module}(${inputShape.at(-1)}, ${units as number}${more})`,
    definitions: [definition(module)],
    parameters: {
      weight: inLayout("weight_ih_l0", [1, 0]),
      recurrentWeight: inLayout("weight_hh_l0", [1, 0]),
      ...(bias === true && { bias: asIs("bias_ih_l0"), recurrentBias: asIs("bias_hh_l0") }),
    },
  };
}
