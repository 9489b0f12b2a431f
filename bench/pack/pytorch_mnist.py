"""A part of wgrad's archive: the MNIST runs of recipes.json in PyTorch, eager and with CUDA graphs, for comparison with
wgrad.

The network, initialization, data, batch size, Adam and schedule are those of mnist98.mjs. In PyTorch's favor: the data are
on the GPU, Adam is fused, no metrics are computed, and nothing is read back within an epoch. Everything is float32, with
TF32 off.
"""

import argparse
import json
import math
import struct
import time
from pathlib import Path

try:
    import torch
except ImportError:
    torch = None

FOLDER = Path(__file__).resolve().parent
METHOD = (
    "As in mnist.json: inputs standardized, He normal and Xavier uniform weights, zero biases, fused Adam, cosine "
    "schedule over the whole run, float32 with TF32 off. Bytes on the GPU, gathered and standardized within the step; "
    "shuffling for each epoch is timed. With CUDA graphs a whole step is one graph, replayed for each step: it looks up "
    "the learning rate and the position of the batch itself. seconds is wall-clock time between two synchronizations, "
    "summed over the epochs, without the evaluation between them; gpuSeconds is the same by CUDA events. One epoch of "
    "warm-up is not timed."
)
CAPTURE_WARMUP_STEPS = 3


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=Path("pytorch.json"))
    parser.add_argument("--mnist", type=Path, default=FOLDER.parent.parent / "mnist", help="folder with the four IDX files")
    parser.add_argument("--epochs", type=int)
    parser.add_argument("--max-steps", type=int)
    parser.add_argument("--seeds", type=int)
    parser.add_argument("--device", default="cuda", help="cpu runs the script without a GPU and without CUDA graphs")
    options = parser.parse_args()
    if torch is None:
        print("skipped: PyTorch is not installed for this python3")
        return
    if options.device == "cuda" and not torch.cuda.is_available():
        print(f"skipped: PyTorch {torch.__version__} finds no CUDA device")
        return
    measure_all(options)


def measure_all(options):
    torch.backends.cuda.matmul.allow_tf32 = False
    torch.backends.cudnn.allow_tf32 = False
    device = torch.device(options.device)
    plan = json.loads((FOLDER / "recipes.json").read_text())
    data = Data(options.mnist, device)
    report = {
        "program": "PyTorch",
        "version": torch.__version__,
        "cuda": torch.version.cuda,
        "adapter": torch.cuda.get_device_name() if device.type == "cuda" else "CPU",
        "method": METHOD,
        "target": plan["target"],
        "runs": [],
    }
    # All eager runs come first, because a failed capture may leave CUDA unusable.
    for mode, training in (("PyTorch eager", EagerTraining), ("PyTorch CUDA graphs", GraphTraining)):
        for recipe in plan["recipes"]:
            run = {"mode": mode, **recipe, "epochs": options.epochs or recipe["epochs"], "seeds": []}
            report["runs"].append(run)
            try:
                measure(training(run, data, options.max_steps), run, options.seeds or plan["seeds"])
            except Exception as error:  # A failed run must not lose the results of the others.
                run["failed"] = f"{type(error).__name__}: {error}"
                print(f"{mode}, {recipe['name']}: failed: {run['failed']}", flush=True)
            # Write after each run, so that an interrupted program leaves partial results.
            options.out.write_text(json.dumps(report, indent=2) + "\n")


def measure(training, run, seeds):
    run["steps"] = training.steps
    training.start(seed=0)
    training.run_epoch(0)
    for seed in range(1, seeds + 1):
        training.start(seed)
        seconds, gpu_seconds, at_epoch, accuracies = 0.0, 0.0, [], []
        for epoch in range(training.epochs):
            wall, gpu = timed(training.data.device, lambda: training.run_epoch(epoch))
            seconds, gpu_seconds = seconds + wall, gpu_seconds + gpu
            at_epoch.append(seconds)
            accuracies.append(training.accuracy())
        rate = training.steps * training.batch / seconds
        result = {
            "seed": seed,
            "seconds": seconds,
            "gpuSeconds": gpu_seconds,
            "imagesPerSecond": rate,
            "accuracy": accuracies[-1],
            "secondsAtEpoch": at_epoch,
            "accuracyAtEpoch": accuracies,
        }
        run["seeds"].append(result)
        print(
            f"{run['mode']}, {run['name']}, seed {seed}: {training.steps} steps in {seconds:.3f} s, "
            f"{rate:.0f} images/s, test accuracy {100 * accuracies[-1]:.2f} %",
            flush=True,
        )


def timed(device, work):
    """Seconds that work takes: by the wall clock, and between two CUDA events."""
    if device.type != "cuda":
        started = time.perf_counter()
        work()
        return time.perf_counter() - started, 0.0
    first, last = torch.cuda.Event(enable_timing=True), torch.cuda.Event(enable_timing=True)
    torch.cuda.synchronize()
    started = time.perf_counter()
    first.record()
    work()
    last.record()
    torch.cuda.synchronize()
    return time.perf_counter() - started, first.elapsed_time(last) / 1000


class Data:
    """MNIST on the device: pictures as bytes, with the constants that standardize them."""

    def __init__(self, folder, device):
        self.device = device
        self.images = read_idx(folder / "train-images-idx3-ubyte").flatten(1).to(device)
        self.labels = read_idx(folder / "train-labels-idx1-ubyte").long().to(device)
        pixels = self.images.double()
        self.deviation = pixels.std(unbiased=False).item()
        self.mean = pixels.mean().item()
        self.test_images = self.standardized(read_idx(folder / "t10k-images-idx3-ubyte").flatten(1).to(device))
        self.test_labels = read_idx(folder / "t10k-labels-idx1-ubyte").long().to(device)

    def standardized(self, images):
        return images.float().mul_(1 / self.deviation).add_(-self.mean / self.deviation)


def read_idx(path):
    content = bytearray(path.read_bytes())
    dimensions = content[3]
    shape = struct.unpack_from(f">{dimensions}I", content, 4)
    return torch.frombuffer(content, dtype=torch.uint8, offset=4 + 4 * dimensions).reshape(shape)


class Training:
    """A network and its schedule, for both modes."""

    def __init__(self, recipe, data, max_steps):
        self.data = data
        self.batch = recipe["batch"]
        self.count = len(data.labels)
        self.steps_per_epoch = self.count // self.batch
        self.steps = min(recipe["epochs"] * self.steps_per_epoch, max_steps or math.inf)
        self.epochs = math.ceil(self.steps / self.steps_per_epoch)
        rate = recipe["learningRate"]
        self.rates = [rate * (1 + math.cos(math.pi * step / self.steps)) / 2 for step in range(self.steps)]
        width = recipe["width"]
        layers = torch.nn.Linear(784, width), torch.nn.ReLU(), torch.nn.Linear(width, 10)
        self.network = torch.nn.Sequential(*layers).to(data.device)

    def start(self, seed):
        """Resets the weights and the optimizer in place, because a captured graph is bound to their memory."""
        torch.manual_seed(seed)
        hidden, last = self.network[0], self.network[2]
        torch.nn.init.kaiming_normal_(hidden.weight, nonlinearity="relu")
        torch.nn.init.xavier_uniform_(last.weight)
        torch.nn.init.zeros_(hidden.bias)
        torch.nn.init.zeros_(last.bias)
        for state in self.optimizer.state.values():
            for value in state.values():
                value.zero_()

    def steps_of(self, epoch):
        first = epoch * self.steps_per_epoch
        return range(first, min(first + self.steps_per_epoch, self.steps))

    def learn(self, examples):
        """One step on the examples with these indices."""
        features = self.data.standardized(self.data.images.index_select(0, examples))
        labels = self.data.labels.index_select(0, examples)
        self.optimizer.zero_grad(set_to_none=True)
        torch.nn.functional.cross_entropy(self.network(features), labels).backward()
        self.optimizer.step()

    def new_order(self):
        return torch.randperm(self.count, device=self.data.device)

    def accuracy(self):
        with torch.no_grad():
            predicted = self.network(self.data.test_images).argmax(1)
            return (predicted == self.data.test_labels).sum().item() / len(self.data.test_labels)


class EagerTraining(Training):
    """Each step launches its kernels one by one."""

    def __init__(self, recipe, data, max_steps):
        super().__init__(recipe, data, max_steps)
        self.optimizer = torch.optim.Adam(self.network.parameters(), lr=self.rates[0], fused=True)

    def run_epoch(self, epoch):
        order = self.new_order()
        for position, step in enumerate(self.steps_of(epoch)):
            self.optimizer.param_groups[0]["lr"] = self.rates[step]
            self.learn(order[position * self.batch : (position + 1) * self.batch])


class GraphTraining(Training):
    """A whole step is captured once and replayed. Everything that changes between steps is on the GPU."""

    def __init__(self, recipe, data, max_steps):
        super().__init__(recipe, data, max_steps)
        device = data.device
        self.rate = torch.tensor(self.rates[0], device=device)
        # The steps of the warm-up read past the last learning rate of a short run.
        self.rate_of_step = torch.tensor(self.rates + [0.0] * CAPTURE_WARMUP_STEPS, device=device)
        self.step = torch.zeros(1, dtype=torch.long, device=device)
        self.order = torch.arange(self.count, device=device)
        self.first_positions = torch.arange(self.batch, device=device)
        self.positions = self.first_positions.clone()
        self.optimizer = torch.optim.Adam(self.network.parameters(), lr=self.rate, fused=True, capturable=True)
        self.replay = self.capture()

    def capture(self):
        if self.data.device.type != "cuda":
            return self.captured_step
        # As in PyTorch's notes on CUDA graphs: first a few steps on a side stream, whose gradients are then cleared.
        side = torch.cuda.Stream()
        side.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(side):
            for _ in range(CAPTURE_WARMUP_STEPS):
                self.captured_step()
        torch.cuda.current_stream().wait_stream(side)
        self.optimizer.zero_grad(set_to_none=True)
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph):
            self.captured_step()
        self.graph = graph
        return graph.replay

    def captured_step(self):
        self.rate.copy_(self.rate_of_step.index_select(0, self.step).squeeze(0))
        self.learn(self.order.index_select(0, self.positions))
        self.step += 1
        self.positions += self.batch

    def start(self, seed):
        super().start(seed)
        self.step.zero_()

    def run_epoch(self, epoch):
        self.order.copy_(self.new_order())
        self.positions.copy_(self.first_positions)
        for _ in self.steps_of(epoch):
            self.replay()


if __name__ == "__main__":
    main()
