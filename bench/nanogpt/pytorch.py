"""nanoGPT's recipe for CPUs in PyTorch: trains, and prints a line of JSON with the results.

Reads the options as JSON from the first argument. The texts are files of one byte per token.
"""

import json
import sys
import time

import numpy
import torch

from gpt import GPT, learning_rate, make_optimizer, train_step

options = json.loads(sys.argv[1])
context, batch, steps = options["context"], options["batch"], options["steps"]


def tokens_of(name):
    return torch.from_numpy(numpy.fromfile(options[name], dtype=numpy.uint8).astype(numpy.int64))


def evaluate(network, tokens):
    """The mean loss over all windows that follow each other."""
    count = (len(tokens) - 1) // context
    inputs = tokens[: count * context].view(count, context)
    targets = tokens[1 : count * context + 1].view(count, context)
    total = 0.0
    with torch.no_grad():
        for first in range(0, count, 128):
            part = slice(first, first + 128)
            total += network.loss(inputs[part], targets[part]).item() * len(inputs[part])
    return total / count


torch.set_num_threads(options["threads"])
torch.manual_seed(options["seed"])
train, validation = tokens_of("train"), tokens_of("validation")
sizes = {name: options[name] for name in ("vocabulary", "context", "layers", "heads", "width", "bias")}
network = GPT(**sizes)
optimizer = make_optimizer(network)
offsets = torch.arange(context)
start = time.perf_counter()
for step in range(steps):
    places = torch.randint(len(train) - context, (batch, 1)) + offsets
    rate = learning_rate(step, steps, options["learningRate"], options["warmup"])
    train_step(network, optimizer, rate, train[places], train[places + 1])
seconds = time.perf_counter() - start
print(json.dumps({"loss": evaluate(network, validation), "seconds": seconds, "version": torch.__version__}))
