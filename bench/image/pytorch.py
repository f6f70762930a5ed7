"""The seed cases of bench/image in PyTorch, timed in turn with the others.

Reads the name of a case a line on standard input, runs it once, answers with milliseconds. Weights are random: only
time is compared here, values are compared in the tests. Networks end at the layer of the unit and compute all of its
channels, as a model cut at that layer does.
"""

import json
import sys
import time

import torch
import torch.nn.functional as F

torch.manual_seed(0)


def kernel(width, channels, height, breadth):
    weights = torch.randn(width, channels, height, breadth) * (2 / (height * breadth * channels)) ** 0.5
    return weights.contiguous(memory_format=torch.channels_last)


class Vgg19:
    """To block4_conv1."""

    plan = [64, 64, "M", 128, 128, "M", 256, 256, 256, 256, "M", 512]

    def __init__(self):
        self.layers, channels = [], 3
        for width in self.plan:
            self.layers.append(None if width == "M" else (kernel(width, channels, 3, 3), torch.zeros(width)))
            channels = channels if width == "M" else width

    def __call__(self, x):
        for layer in self.layers:
            x = F.max_pool2d(x, 2) if layer is None else F.relu(F.conv2d(x, *layer, padding=1))
        return x


class Inception:
    """Inception v3 to its first grid reduction (Mixed_6a, Keras' mixed3); batch norms folded into the convolutions."""

    def __init__(self):
        self.weights = {}

    def conv(self, name, x, width, size=1, stride=1, padding=0):
        if name not in self.weights:
            self.weights[name] = kernel(width, x.shape[1], size, size), torch.zeros(width)
        return F.relu(F.conv2d(x, *self.weights[name], stride=stride, padding=padding))

    def mixed5(self, name, x, pooled):
        c = lambda part, *rest, **options: self.conv(f"{name}.{part}", *rest, **options)
        a = c("1x1", x, 64)
        b = c("5x5b", c("5x5a", x, 48), 64, 5, padding=2)
        d = c("3x3c", c("3x3b", c("3x3a", x, 64), 96, 3, padding=1), 96, 3, padding=1)
        p = c("pool", F.avg_pool2d(x, 3, 1, 1), pooled)
        return torch.cat([a, b, d, p], 1)

    def __call__(self, x):
        x = self.conv("1a", x, 32, 3, 2)
        x = self.conv("2b", self.conv("2a", x, 32, 3), 64, 3, padding=1)
        x = F.max_pool2d(x, 3, 2)
        x = self.conv("4a", self.conv("3b", x, 80), 192, 3)
        x = F.max_pool2d(x, 3, 2)
        x = self.mixed5("5d", self.mixed5("5c", self.mixed5("5b", x, 32), 64), 64)
        a = self.conv("6a.a", x, 384, 3, 2)
        b = self.conv("6a.b3", self.conv("6a.b2", self.conv("6a.b1", x, 64), 96, 3, padding=1), 96, 3, 2)
        return torch.cat([a, b, F.max_pool2d(x, 3, 2)], 1)


def ascend(network, image, channel, steps, frames):
    """grad / std(grad), 0.1 a step for a picture from -1 to 1, as in Keras' examples."""
    image = image.contiguous(memory_format=torch.channels_last)
    kept = []
    for _ in range(steps):
        x = image.detach().requires_grad_()
        (gradient,) = torch.autograd.grad(network(x)[:, channel].mean(), x)
        image = (image + 0.1 * gradient / (gradient.std() + 1e-20)).clamp(-1, 1)
        if frames:
            kept.append(((image + 1) * 127.5).byte())
    return image


vgg19, inception = Vgg19(), Inception()
cases = {
    "vgg19-noise": lambda: ascend(vgg19, torch.rand(1, 3, 300, 300) * 2 - 1, 4, 20, False),
    "inception-black": lambda: ascend(inception, -torch.ones(1, 3, 299, 299), 1, 30, True),
}

print(json.dumps({"version": torch.__version__, "threads": torch.get_num_threads()}), flush=True)
for line in sys.stdin:
    start = time.perf_counter()
    cases[line.strip()]()
    print(json.dumps({"milliseconds": (time.perf_counter() - start) * 1000}), flush=True)
