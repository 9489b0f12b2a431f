"""Trains nanoGPT's network from given values on given batches, in float64, and prints the loss of each step.

The work is JSON on the standard input; record.ts writes it.
"""

import json
import sys
from pathlib import Path

import torch

sys.path.append(str(Path(__file__).parents[3] / "bench" / "nanogpt"))
from gpt import GPT, learning_rate, make_optimizer, train_step

work = json.load(sys.stdin)
torch.set_num_threads(1)
torch.set_default_dtype(torch.float64)
network = GPT(**work["sizes"])
# Both list their parameters in the same order. nn.Linear keeps its weight as [outputs, inputs].
with torch.no_grad():
    for (name, parameter), values in zip(network.named_parameters(), work["values"], strict=True):
        given = torch.tensor(values)
        if parameter.dim() == 2 and name.startswith("blocks"):
            parameter.copy_(given.view(parameter.shape[1], parameter.shape[0]).T)
        else:
            parameter.copy_(given.view(parameter.shape))
optimizer = make_optimizer(network)
steps = len(work["batches"])
losses = []
for step, batch in enumerate(work["batches"]):
    tokens, targets = (torch.tensor(batch[name]).view(work["batch"], -1) for name in ("tokens", "targets"))
    rate = learning_rate(step, steps, work["learningRate"], work["warmup"])
    losses.append(round(train_step(network, optimizer, rate, tokens, targets), 7))
print(json.dumps(losses))
