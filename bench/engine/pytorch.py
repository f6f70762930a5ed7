"""The workloads of bench/engine in PyTorch, timed in turn with the others.

  python3 pytorch.py [DEVICE]     (cpu, or cuda)

Reads the name of a workload a line on standard input, runs it once, answers with milliseconds.
Weights are random: only time is compared here, values are compared in the tests.
"""

import json
import sys
import time

import torch
import torch.nn.functional as F

device = sys.argv[1] if len(sys.argv) > 1 else "cpu"
torch.set_default_device(device)
torch.manual_seed(0)
LAYERS, D, HEADS, VOCAB = 12, 768, 12, 50257


def block_weights():
    r = lambda *shape: torch.randn(*shape) * 0.02
    return {
        "ln1": (torch.ones(D), torch.zeros(D)), "ln2": (torch.ones(D), torch.zeros(D)),
        "qkv": (r(3 * D, D), torch.zeros(3 * D)), "out": (r(D, D), torch.zeros(D)),
        "up": (r(4 * D, D), torch.zeros(4 * D)), "down": (r(D, 4 * D), torch.zeros(D)),
    }


class Gpt2:
    def __init__(self):
        self.blocks = [block_weights() for _ in range(LAYERS)]
        self.embedding = torch.randn(VOCAB, D) * 0.02
        self.positions = torch.randn(64, D) * 0.01
        self.ln = (torch.ones(D), torch.zeros(D))

    def body(self, x):
        batch, pos, _ = x.shape
        for w in self.blocks:
            h = F.layer_norm(x, (D,), *w["ln1"])
            q, k, v = (t.view(batch, pos, HEADS, D // HEADS).transpose(1, 2) for t in F.linear(h, *w["qkv"]).split(D, -1))
            z = F.scaled_dot_product_attention(q, k, v, is_causal=True)
            x = x + F.linear(z.transpose(1, 2).reshape(batch, pos, D), *w["out"])
            h = F.layer_norm(x, (D,), *w["ln2"])
            x = x + F.linear(F.gelu(F.linear(h, *w["up"]), approximate="tanh"), *w["down"])
        return F.layer_norm(x, (D,), *self.ln)


VGG = [64, 64, "M", 128, 128, "M", 256, 256, 256, "M", 512, 512, 512]


class Vgg16:
    """VGG16 to block4_conv3."""

    def __init__(self):
        self.layers, channels = [], 3
        for width in VGG:
            if width == "M":
                self.layers.append(None)
                continue
            kernel = torch.randn(width, channels, 3, 3) * (2 / (9 * channels)) ** 0.5
            self.layers.append((kernel.contiguous(memory_format=torch.channels_last), torch.zeros(width)))
            channels = width

    def features(self, x):
        for layer in self.layers:
            x = F.max_pool2d(x, 2) if layer is None else F.relu(F.conv2d(x, *layer, padding=1))
        return x


models = {}


def model(kind):
    if kind not in models:
        models[kind] = kind()
    return models[kind]


def gpt2_gradient():
    x = torch.randn(32, 16, D, requires_grad=True)
    return torch.autograd.grad(model(Gpt2).body(x).square().mean(), x)


@torch.no_grad()
def gpt2_cross_entropy():
    gpt2 = model(Gpt2)
    ids = torch.randint(0, VOCAB, (256, 12))
    hidden = gpt2.body(gpt2.embedding[ids] + gpt2.positions[:12])
    logits = hidden[:, :-1].reshape(-1, D) @ gpt2.embedding.T
    return F.cross_entropy(logits, ids[:, 1:].reshape(-1), reduction="none")


def vgg_gradient():
    x = torch.randn(1, 3, 224, 224).contiguous(memory_format=torch.channels_last).requires_grad_()
    return torch.autograd.grad(model(Vgg16).features(x)[:, 4].mean(), x)


workloads = {"gpt2-gradient": gpt2_gradient, "gpt2-cross-entropy": gpt2_cross_entropy, "vgg16-gradient": vgg_gradient}

print(json.dumps({"version": torch.__version__, "threads": torch.get_num_threads()}), flush=True)
for line in sys.stdin:
    start = time.perf_counter()
    workloads[line.strip()]()
    if device == "cuda":
        torch.cuda.synchronize()
    print(json.dumps({"milliseconds": (time.perf_counter() - start) * 1000}), flush=True)
