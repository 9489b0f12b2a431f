"""Runs generated code on given inputs, and prints the largest difference from given outputs.

The work is JSON on the standard input; check.ts writes it.
"""

import json
import struct
import sys
import types

import torch


class File:
    """Reads float32 tensors of a safetensors file, as the package does."""

    def __init__(self, path, framework):
        with open(path, "rb") as file:
            (length,) = struct.unpack("<Q", file.read(8))
            self.header = json.loads(file.read(length))
            self.bytes = file.read()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass

    def metadata(self):
        return self.header["__metadata__"]

    def keys(self):
        return [name for name in self.header if name != "__metadata__"]

    def get_tensor(self, name):
        entry = self.header[name]
        start, end = entry["data_offsets"]
        values = struct.unpack(f"<{(end - start) // 4}f", self.bytes[start:end])
        return torch.tensor(values).reshape(entry["shape"])


package = types.ModuleType("safetensors")
package.safe_open = File
sys.modules["safetensors"] = package

work = json.load(sys.stdin)
scope = {}
exec(work["code"], scope)
inputs = [
    torch.tensor(value["values"], dtype=torch.long if value["isIndex"] else torch.float32).reshape(value["shape"])
    for value in work["inputs"]
]
with torch.no_grad():
    outputs = scope["predict"](*inputs)
assert list(outputs) == list(work["expected"]), list(outputs)
largest = 0.0
for name, expected in work["expected"].items():
    shape = [len(inputs[0]), *work["shapes"][name]]
    assert list(outputs[name].shape) == shape, (name, outputs[name].shape, shape)
    wanted = torch.tensor(expected, dtype=torch.float64).reshape(shape)
    difference = ((outputs[name].double() - wanted).abs().max() / max(1, wanted.abs().max())).item()
    assert difference < 1e-5, (name, difference)
    largest = max(largest, difference)
print(f"{largest:.1e}")
