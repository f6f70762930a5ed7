"""Speed of training in PyTorch: the network, batch and update rules of pictures-per-second.ts.

Needs torch. One JSON document on stdout; the median step counts.
"""

import argparse
import json
import time

import torch
from torch import nn

parser = argparse.ArgumentParser()
parser.add_argument("--size", type=int, default=64)
parser.add_argument("--batch", type=int, default=128)
parser.add_argument("--steps", type=int, default=5)
parser.add_argument("--channels-last", action="store_true", help="the memory layout that PyTorch recommends for CNNs")
options = parser.parse_args()

CLASSES = 200
torch.manual_seed(0)
layers = []
before = 3
for block, channels in enumerate([16, 32, 64, 128, 256]):
    for place in range(2):
        layers.append(nn.Conv2d(before, channels, 3, padding=1, bias=False))
        if place == 1 and block < 4:
            layers.append(nn.MaxPool2d(2))
        layers += [nn.BatchNorm2d(channels, track_running_stats=False), nn.ReLU()]
        before = channels
model = nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(before, CLASSES))
layout = torch.channels_last if options.channels_last else torch.contiguous_format
model = model.to(memory_format=layout)

filters = [module.weight for module in model if isinstance(module, nn.Conv2d)]
others = [p for p in model.parameters() if p.ndim != 4]
# torch.optim.Muon takes matrices: filters are seen as [out, in * height * width].
matrices = [nn.Parameter(f.detach().reshape(f.shape[0], -1).clone()) for f in filters]
optimizers = [
    torch.optim.Muon(matrices, lr=0.02, weight_decay=0.1, ns_steps=4, adjust_lr_fn="match_rms_adamw"),
    torch.optim.AdamW(others, lr=0.002, betas=(0.9, 0.99)),
]

seconds = []
for step in range(options.steps + 2):
    image = torch.randn(options.batch, 3, options.size, options.size).to(memory_format=layout)
    target = torch.randint(CLASSES, (options.batch,))
    start = time.perf_counter()
    loss = nn.functional.cross_entropy(model(image), target)
    loss.backward()
    torch.nn.utils.clip_grad_norm_(model.parameters(), 2)
    for matrix, kernel in zip(matrices, filters):
        matrix.grad = kernel.grad.reshape(matrix.shape)
    for optimizer in optimizers:
        optimizer.step()
    with torch.no_grad():
        for matrix, kernel in zip(matrices, filters):
            kernel.copy_(matrix.reshape(kernel.shape))
    model.zero_grad()
    loss.item()
    if step >= 2:
        seconds.append(time.perf_counter() - start)

median = sorted(seconds)[len(seconds) // 2]
name = "PyTorch, channels_last" if options.channels_last else "PyTorch"
result = {"engine": name, "size": options.size, "batch": options.batch, "seconds": median}
print(json.dumps({**result, "picturesPerSecond": options.batch / median}))
