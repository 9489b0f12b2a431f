"""Computes each expression and its gradients with PyTorch in float64, and prints them.

The work is JSON on the standard input; record.ts writes it.
"""

import json
import math
import sys

import torch
import torch.nn.functional as F

torch.set_num_threads(1)
torch.set_default_dtype(torch.float64)


def nchw(images):
    return images.permute(0, 3, 1, 2)


def nhwc(images):
    return images.permute(0, 2, 3, 1)


def kernel(weights):
    """[height, width, channels, outputs] as PyTorch has it."""
    return weights.permute(3, 2, 0, 1)


def grid(positions, height, width):
    """Rows and columns as grid_sample takes them with align_corners: x before y, from -1 to 1."""
    rows, columns = positions.unbind(-1)
    return torch.stack((2 * columns / (width - 1) - 1, 2 * rows / (height - 1) - 1), -1)


def turns(positions, width, base):
    """The complex factors of rotary positions, [positions, width / 2]."""
    rates = base ** (-torch.arange(0, width, 2).double() / width)
    angles = torch.outer(torch.arange(positions).double(), rates)
    return torch.polar(torch.ones_like(angles), angles)


HELPERS = {
    "F": F,
    "grid": grid,
    "kernel": kernel,
    "math": math,
    "nchw": nchw,
    "nhwc": nhwc,
    "torch": torch,
    "turns": turns,
}


def written(tensor):
    """The elements with ten digits, enough to see a wrong formula, and few enough for a short file."""
    return [float(f"{value:.10g}") for value in tensor.detach().double().reshape(-1).tolist()]


results = {}
for case in json.load(sys.stdin):
    inputs = {}
    for given in case["inputs"]:
        values = torch.tensor([float(value) for value in given["values"]]).reshape(given["shape"])
        inputs[given["name"]] = values.long() if given["isIndex"] else values
    targets = [inputs[name].requires_grad_() for name in case["differentiable"]]
    output = eval(case["torch"], HELPERS, inputs)
    found = {"output": written(output)}
    if targets:
        gradients = torch.autograd.grad((output * inputs["upstream"].detach()).sum(), targets)
        found |= {name: written(gradient) for name, gradient in zip(case["differentiable"], gradients)}
    results[case["name"]] = found
lines = (f"{json.dumps(name)}: {json.dumps(found, separators=(',', ':'))}" for name, found in results.items())
print("{\n" + ",\n".join(lines) + "\n}")
