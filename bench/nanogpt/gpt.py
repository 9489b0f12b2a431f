"""nanoGPT's network and optimizer in PyTorch, written from its description.

GPT-2 with the token embedding as the output matrix. Weights are normal with deviation 0.02, divided by sqrt(2 * layers)
for the last product of each branch; biases are 0. AdamW decays matrices and embeddings only.
"""

import math

import torch
from torch import nn
from torch.nn import functional


class Attention(nn.Module):
    def __init__(self, context, heads, width, bias):
        super().__init__()
        self.heads = heads
        self.project = nn.Linear(width, 3 * width, bias=bias)
        self.output = nn.Linear(width, width, bias=bias)
        # -inf above the diagonal: a position attends to itself and those before it.
        self.register_buffer("mask", torch.full((context, context), -math.inf).triu(1))

    def forward(self, x):
        batch, context, width = x.shape
        parts = self.project(x).view(batch, context, 3, self.heads, width // self.heads).permute(2, 0, 3, 1, 4)
        query, key, value = parts
        scores = query @ key.transpose(-2, -1) / math.sqrt(width // self.heads) + self.mask
        mixed = scores.softmax(-1) @ value
        return self.output(mixed.transpose(1, 2).reshape(batch, context, width))


class Norm(nn.Module):
    """Layer normalization, whose bias is optional. nn.LayerNorm of PyTorch 1.13 always has one."""

    def __init__(self, width, bias):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(width))
        self.bias = nn.Parameter(torch.zeros(width)) if bias else None

    def forward(self, x):
        return functional.layer_norm(x, self.weight.shape, self.weight, self.bias, 1e-5)


class Block(nn.Module):
    def __init__(self, context, heads, width, bias):
        super().__init__()
        self.attention_norm = Norm(width, bias)
        self.attention = Attention(context, heads, width, bias)
        self.hidden_norm = Norm(width, bias)
        self.hidden = nn.Linear(width, 4 * width, bias=bias)
        self.output = nn.Linear(4 * width, width, bias=bias)

    def forward(self, x):
        x = x + self.attention(self.attention_norm(x))
        return x + self.output(functional.gelu(self.hidden(self.hidden_norm(x))))


class GPT(nn.Module):
    """Logits [batch, context, vocabulary] of tokens [batch, context]."""

    def __init__(self, vocabulary, context, layers, heads, width, bias):
        super().__init__()
        self.tokens = nn.Embedding(vocabulary, width)
        self.positions = nn.Embedding(context, width)
        self.blocks = nn.ModuleList(Block(context, heads, width, bias) for _ in range(layers))
        self.norm = Norm(width, bias)
        for name, parameter in self.named_parameters():
            if parameter.dim() == 2:
                scale = math.sqrt(2 * layers) if name.endswith("output.weight") else 1
                nn.init.normal_(parameter, std=0.02 / scale)
            elif name.endswith("bias"):
                nn.init.zeros_(parameter)

    def forward(self, tokens):
        x = self.tokens(tokens) + self.positions.weight
        for block in self.blocks:
            x = block(x)
        return functional.linear(self.norm(x), self.tokens.weight)

    def loss(self, tokens, targets):
        return functional.cross_entropy(self(tokens).flatten(0, 1), targets.flatten())


def make_optimizer(network):
    """AdamW with nanoGPT's options; the rate is set at each step."""
    matrices = [parameter for parameter in network.parameters() if parameter.dim() >= 2]
    others = [parameter for parameter in network.parameters() if parameter.dim() < 2]
    groups = [{"params": matrices, "weight_decay": 0.1}, {"params": others, "weight_decay": 0.0}]
    # Its loops over all parameters at once were slower here than one parameter after the other.
    return torch.optim.AdamW(groups, betas=(0.9, 0.99), foreach=False)


def learning_rate(step, steps, highest, warmup):
    """A linear increase, then a cosine down to a tenth."""
    if step < warmup:
        return highest * (step + 1) / warmup
    share = (step - warmup) / (steps - warmup)
    return highest * (0.1 + 0.9 * 0.5 * (1 + math.cos(math.pi * share)))


def train_step(network, optimizer, rate, tokens, targets):
    """Makes a step, and returns the loss before it."""
    for group in optimizer.param_groups:
        group["lr"] = rate
    optimizer.zero_grad(set_to_none=True)
    loss = network.loss(tokens, targets)
    loss.backward()
    nn.utils.clip_grad_norm_(network.parameters(), 1.0)
    optimizer.step()
    return loss.item()
