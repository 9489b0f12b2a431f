import type { PytorchForm } from "../forms.ts";

const GAUSSIAN_NOISE = `class GaussianNoise(nn.Module):
    def __init__(self, deviation):
        super().__init__()
        self.deviation = deviation
    def forward(self, x):
        return x + self.deviation * torch.randn_like(x) if self.training else x`;

export const pytorch: PytorchForm = ({ deviation }) => [
  { code: `GaussianNoise(${deviation as number})`, definitions: [GAUSSIAN_NOISE], elementwise: true },
];
