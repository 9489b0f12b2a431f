"""The comparison's GPT: the same parameters, in the same order, as bench/peers/gpt/jax.mjs."""

import math

import torch
from torch.nn import functional

PARAMETERS_OF_BLOCK = 8


class GptTraining:
    def __init__(self, array, sizes, batches, shapes):
        """`array(name, dtype, shape)` reads a file of numbers."""
        shape = (batches, sizes["batch"], sizes["context"])
        self.tokens = array("tokens", "int32", shape).long()
        self.targets = array("targets", "int32", shape).long()
        self.steps = 0
        self.layers, self.heads = sizes["layers"], sizes["heads"]
        self.parameters = [
            array(f"parameter{index}", "float32", shape).requires_grad_() for index, shape in enumerate(shapes)
        ]
        # -inf above the diagonal: a position attends to itself and those before it.
        self.mask = torch.full((sizes["context"], sizes["context"]), -math.inf).triu(1)
        self.optimizer = torch.optim.Adam(self.parameters, lr=1e-3, foreach=False)

    def attention(self, x, projection, merge):
        batch, context, width = x.shape
        parts = (x @ projection).view(batch, context, 3, self.heads, width // self.heads).permute(2, 0, 3, 1, 4)
        query, key, value = parts
        scores = query @ key.transpose(-2, -1) / math.sqrt(width // self.heads) + self.mask
        mixed = scores.softmax(-1) @ value
        return mixed.transpose(1, 2).reshape(batch, context, width) @ merge

    def block(self, x, parameters):
        attention_scale, attention_shift, projection, merge, hidden_scale, hidden_shift, hidden, output = parameters
        normalized = functional.layer_norm(x, attention_scale.shape, attention_scale, attention_shift)
        x = x + self.attention(normalized, projection, merge)
        normalized = functional.layer_norm(x, hidden_scale.shape, hidden_scale, hidden_shift)
        return x + functional.gelu(normalized @ hidden) @ output

    def loss(self, tokens, targets):
        table, positions, *others = self.parameters
        x = functional.embedding(tokens, table) + positions
        for layer in range(self.layers):
            first = PARAMETERS_OF_BLOCK * layer
            x = self.block(x, others[first : first + PARAMETERS_OF_BLOCK])
        scale, shift = others[PARAMETERS_OF_BLOCK * self.layers :]
        logits = functional.layer_norm(x, scale.shape, scale, shift) @ table.T
        return functional.cross_entropy(logits.flatten(0, 1), targets.flatten())

    def step(self):
        batch = self.steps % len(self.tokens)
        self.steps += 1
        self.optimizer.zero_grad(set_to_none=True)
        loss = self.loss(self.tokens[batch], self.targets[batch])
        loss.backward()
        self.optimizer.step()
        return loss
