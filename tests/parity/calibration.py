"""Random weights under which a deep network works in its real range.

Weights drawn by fan-in alone let activations die or explode within a hundred layers. Here one forward pass sets every layer in
turn: when a convolution or linear layer has made its output, its weights are divided by what brings that output to the wanted
deviation, and the pass goes on with the corrected output. Batch norms take their statistics from the same pass.
"""
import math

import torch
from torch import nn

LAYERS = (nn.Conv1d, nn.Conv2d, nn.Linear)
NORMS = (nn.GroupNorm, nn.LayerNorm, nn.BatchNorm2d)


def draw(module, generator):
    """Fresh weights: fan-in scaled, biases and norms away from 0 and 1, so that every term shows."""
    def normal(tensor, deviation, mean=0.0):
        if tensor is not None:
            tensor.normal_(generator=generator).mul_(deviation).add_(mean)

    with torch.no_grad():
        for part in module.modules():
            if isinstance(part, LAYERS):
                normal(part.weight, 1 / math.sqrt(part.weight[0].numel()))
                normal(part.bias, 0.2)
            elif isinstance(part, NORMS):
                normal(part.weight, 0.2, 1.0)
                normal(part.bias, 0.3)
            elif isinstance(part, nn.Embedding):
                normal(part.weight, 0.02)


class Calibration:
    """`with Calibration(module, wanted, generator): module(…)` sets each layer when it is first called.

    `wanted(name)` is the deviation of that layer's output. `largest` is the largest activation that any layer put out.
    """

    def __init__(self, module, wanted, generator):
        self.module, self.wanted, self.generator = module, wanted, generator
        self.done, self.handles, self.largest = set(), [], (0.0, "")

    def __enter__(self):
        for name, part in self.module.named_modules():
            if isinstance(part, LAYERS):
                self.handles.append(part.register_forward_hook(self.layer(name)))
            elif isinstance(part, nn.BatchNorm2d):
                self.handles.append(part.register_forward_pre_hook(self.batch_norm))
        return self

    def __exit__(self, *_):
        for handle in self.handles:
            handle.remove()

    def layer(self, name):
        def hook(part, _, output):
            if name not in self.done:
                self.done.add(name)
                factor = self.wanted(name) / float(output.std())
                part.weight.mul_(factor)
                if part.bias is not None:
                    part.bias.mul_(factor)
                output = output * factor
            self.largest = max(self.largest, (float(output.abs().max()), name))
            return output

        return hook

    def batch_norm(self, part, inputs):
        """The statistics of this pass, a little off, as those of a training set are."""
        x = inputs[0].transpose(0, 1).flatten(1)
        off = torch.randn(2, len(x), generator=self.generator) * 0.1
        part.running_mean.copy_(x.mean(1) + off[0] * x.std())
        # A mean over a whole picture hardly differs between pictures: such a norm gets the deviation of all channels.
        part.running_var.copy_(torch.maximum(x.var(1), 0.1 * x.var()) * (1 + off[1]))
        part.num_batches_tracked.fill_(79999)
