import type { PytorchForm, PytorchParameter } from "../forms.ts";
import { asIs } from "../permute.ts";

/** PyTorch has nn.RMSNorm only from version 2.4 on. */
const RMS_NORM = `class RMSNorm(nn.Module):
    def __init__(self, channels, eps, elementwise_affine=True):
        super().__init__()
        self.eps = eps
        self.weight = nn.Parameter(torch.ones(channels)) if elementwise_affine else None
    def forward(self, x):
        x = x * (x.square().mean(-1, keepdim=True) + self.eps).rsqrt()
        return x if self.weight is None else x * self.weight`;

const withWeight: Record<string, PytorchParameter> = { weight: asIs("weight") };

export const pytorch: PytorchForm = ({ epsilon, affine }, { inputShape }) => [
  {
    code: `RMSNorm(${inputShape.at(-1)}, ${epsilon as number}${affine ? "" : ", elementwise_affine=False"})`,
    definitions: [RMS_NORM],
    parameters: affine ? withWeight : {},
  },
];
