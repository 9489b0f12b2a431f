import { activationModules } from "../activation/pytorch.ts";
import type { PytorchForm, PytorchModule, PytorchParameter } from "../forms.ts";
import { argumentsCode } from "../images-pytorch.ts";
import { innerParameters } from "../inner-pytorch.ts";
import { pytorch as layerNorm } from "../layerNorm/pytorch.ts";
import { pytorch as attention } from "../multiHeadAttention/pytorch.ts";
import { weightAndBias } from "../permute.ts";
import { pytorch as rmsNorm } from "../rmsNorm/pytorch.ts";
import { partsOf } from "./index.ts";

const BLOCK = `class TransformerBlock(nn.Module):
    def __init__(self, norm, attention, hidden_norm, hidden, activation, output, gate=None, dropout=0.0):
        super().__init__()
        self.attention_norm, self.attention, self.hidden_norm = norm, attention, hidden_norm
        self.hidden, self.gate, self.activation, self.output = hidden, gate, activation, output
        self.dropout = nn.Dropout(dropout)
    def forward(self, x):
        x = x + self.dropout(self.attention(self.attention_norm(x)))
        y = self.hidden_norm(x)
        y = self.activation(self.hidden(y)) if self.gate is None else self.activation(self.gate(y)) * self.hidden(y)
        return x + self.dropout(self.output(y))`;

export const pytorch: PytorchForm = (config, place) => {
  const { hidden, bias, dropout, gated } = config;
  const parts = partsOf(config, {});
  const [norm] = (config["norm"] === "rms" ? rmsNorm : layerNorm)(parts.norm.config, place) as [PytorchModule];
  const [attend] = attention(parts.attention.config, place) as [PytorchModule];
  const [activation = { code: "nn.Identity()" }] = activationModules(config["activation"]);
  const width = place.inputShape.at(-1)!;
  const linear = (inputs: number, outputs: number): PytorchModule => ({
    code: `nn.Linear(${inputs}, ${outputs}${bias === true ? "" : ", bias=False"})`,
    parameters: weightAndBias([1, 0], bias),
  });
  const expand = linear(width, hidden as number);
  const contract = linear(hidden as number, width);
  const more = argumentsCode([
    ["gate", gated === true ? expand.code : "None", "None"],
    ["dropout", String(dropout as number), "0"],
  ]);
  const modules = [norm, attend, norm, expand, activation, contract];
  const parameters: Record<string, PytorchParameter> = {
    ...innerParameters(norm, "attentionNorm.", "attention_norm"),
    ...innerParameters(attend, "attention.", "attention"),
    ...innerParameters(norm, "hiddenNorm.", "hidden_norm"),
    ...innerParameters(expand, "hidden.", "hidden"),
    ...(gated === true && innerParameters(expand, "gate.", "gate")),
    ...innerParameters(contract, "output.", "output"),
  };
  return [
    {
      code: `TransformerBlock(${modules.map(({ code }) => code).join(", ")}${more})`,
      definitions: [BLOCK, ...modules.flatMap(({ definitions = [] }) => definitions)],
      parameters,
    },
  ];
};
