import type { LayerPlace, PytorchModule, PytorchParameter } from "./forms.ts";
import { argumentsCode } from "./images-pytorch.ts";
import type { LayerConfig } from "./layer.ts";
import { asIs, inLayout } from "./permute.ts";
import { forwardName, reverseName, type Naming } from "./recurrent.ts";

/**
 * A module of PyTorch that returns its output alone, with the same parameters. Without sequences, that is the output of the step
 * that each direction reads last.
 * @param state how the module returns its state, with the last outputs h
 */
const definition = (module: string, state: string) => `class ${module}(nn.${module}):
    def __init__(self, width, units, sequences=False, bias=True, bidirectional=False):
        super().__init__(width, units, bias=bias, batch_first=True, bidirectional=bidirectional)
        self.sequences = sequences
    def forward(self, x):
        outputs, ${state} = super().forward(x)
        return outputs if self.sequences else h.transpose(0, 1).flatten(1)`;

interface RecurrentForm {
  readonly module: "GRU" | "LSTM";
  /** How the module returns its state in Python. */
  readonly state: string;
}

export function recurrentModule(
  { module, state }: RecurrentForm,
  config: LayerConfig,
  { inputShape }: LayerPlace,
): PytorchModule {
  const { units, sequences, bias, bidirectional } = config;
  const more = argumentsCode([
    ["sequences", sequences === true ? "True" : "False", "False"],
    ["bias", bias === true ? "True" : "False", "True"],
    ["bidirectional", bidirectional === true ? "True" : "False", "False"],
  ]);
  return {
    code: `${module}(${inputShape.at(-1)}, ${units as number}${more})`,
    definitions: [definition(module, state)],
    parameters: {
      ...parametersOf(forwardName, "l0", bias === true),
      ...(bidirectional === true && parametersOf(reverseName, "l0_reverse", bias === true)),
    },
  };
}

/** The parameters of a direction. @param suffix of their names in PyTorch */
const parametersOf = (nameOf: Naming, suffix: string, bias: boolean): Record<string, PytorchParameter> => ({
  [nameOf("weight")]: inLayout(`weight_ih_${suffix}`, [1, 0]),
  [nameOf("recurrentWeight")]: inLayout(`weight_hh_${suffix}`, [1, 0]),
  ...(bias && {
    [nameOf("bias")]: asIs(`bias_ih_${suffix}`),
    [nameOf("recurrentBias")]: asIs(`bias_hh_${suffix}`),
  }),
});
