"""Runs the given code for each network, and prints its logits in float64 as JSON. See record.ts."""

import json
import struct
import sys
import types

import torch


def load_file(path):
    """As safetensors.torch.load_file for float32; Debian has no package of safetensors."""
    with open(path, "rb") as file:
        (length,) = struct.unpack("<Q", file.read(8))
        header = json.loads(file.read(length))
        values = file.read()
    header.pop("__metadata__")
    return {
        name: torch.frombuffer(bytearray(values[slice(*entry["data_offsets"])]), dtype=torch.float32).reshape(entry["shape"])
        for name, entry in header.items()
    }


sys.modules["safetensors"] = types.ModuleType("safetensors")
sys.modules["safetensors.torch"] = types.ModuleType("safetensors.torch")
sys.modules["safetensors.torch"].load_file = load_file

work = json.load(sys.stdin)
logits = {}
for network in work["networks"]:
    scope = {}
    exec(network["code"], scope)
    with torch.no_grad():
        logits[network["name"]] = scope["network"].double()(torch.tensor(work["tokens"])).flatten().tolist()
print(json.dumps(logits))
