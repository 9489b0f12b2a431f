"""PyTorch on the CPU with one thread, for wgrad's comparison with its peers.

Reads a request as a line of JSON, answers with a line of JSON, and so on until the input ends. Arrays are raw files in
the folder of the first argument. Everything is float32. The examples are standardized before the first step; each step
gathers its own rows.
"""

import json
import resource
import sys
from pathlib import Path

import numpy
import torch
from torch.nn import functional

from pytorch_gpt import GptTraining

FOLDER = Path(sys.argv[1])


def array(name, dtype, shape):
    return torch.from_numpy(numpy.fromfile(FOLDER / name, dtype=dtype).reshape(shape))


def dense_logits(parameters, features):
    values = features
    for index in range(0, len(parameters) - 2, 2):
        values = torch.relu(torch.addmm(parameters[index + 1], values, parameters[index]))
    return torch.addmm(parameters[-1], values, parameters[-2])


def convolutional_logits(parameters, features):
    size = int(features.shape[1] ** 0.5)
    images = features.view(-1, 1, size, size).to(memory_format=torch.channels_last)
    for layer in range(4):
        kernel, biases = parameters[2 * layer : 2 * layer + 2]
        images = torch.relu(functional.conv2d(images, kernel, biases, padding=1))
        if layer % 2 == 1:
            images = functional.max_pool2d(images, 2)
    weights, biases = parameters[8:]
    return torch.addmm(biases, images.flatten(1), weights)


LOGITS = {"dense": dense_logits, "convolutional": convolutional_logits}


class Training:
    def __init__(self, network, size, batch, count, scale, offset, shapes):
        self.logits = LOGITS[network]
        self.batch = batch
        self.batches = count // batch
        self.steps = 0
        self.features = array("features", numpy.uint8, (count, size * size)).float().mul_(scale).add_(offset)
        self.labels = array("labels", numpy.int32, count).long()
        self.order = array("order", numpy.int32, count).long()
        self.parameters = [self.parameter(index, shape) for index, shape in enumerate(shapes)]
        # Its loops over all parameters at once were slower here than one parameter after the other.
        self.optimizer = torch.optim.Adam(self.parameters, lr=1e-3, foreach=False)

    @staticmethod
    def parameter(index, shape):
        values = array(f"parameter{index}", numpy.float32, shape)
        # Convolutions were a third faster with the channels last.
        placed = values.to(memory_format=torch.channels_last) if len(shape) == 4 else values
        return placed.requires_grad_()

    def step(self):
        first = self.steps % self.batches * self.batch
        self.steps += 1
        examples = self.order[first : first + self.batch]
        features = self.features.index_select(0, examples)
        labels = self.labels.index_select(0, examples)
        self.optimizer.zero_grad(set_to_none=True)
        loss = functional.cross_entropy(self.logits(self.parameters, features), labels)
        loss.backward()
        self.optimizer.step()
        return loss


def run_steps(training, steps, every):
    losses = []
    for done in range(1, steps + 1):
        loss = training.step()
        if done % every == 0 or done == steps:
            losses.append(loss.item())
    return losses


class Product:
    def __init__(self, rows, inner, columns):
        self.left = array("left", numpy.float32, (rows, inner))
        self.right = array("right", numpy.float32, (inner, columns))

    def run(self, times):
        for _ in range(times):
            product = torch.mm(self.left, self.right)
        product.numpy().tofile(FOLDER / "product")


def main():
    torch.set_num_threads(1)
    print(json.dumps({"version": torch.__version__}), flush=True)
    work = None
    for line in sys.stdin:
        kind, options = json.loads(line)
        if kind == "training":
            work, answer = Training(**options), None
        elif kind == "text":
            work, answer = GptTraining(array, **options), None
        elif kind == "product":
            work, answer = Product(**options), None
        elif kind == "memory":
            answer = 1024 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        elif kind == "steps":
            answer = run_steps(work, **options)
        else:
            answer = work.run(**options)
        print(json.dumps(answer), flush=True)


main()
