"""Speed of training in PyTorch: the model, batch and update rules of tokens-per-second.ts.

Needs torch and transformers. One JSON document on stdout; the median step counts.
"""

import argparse
import json
import pathlib
import time

import torch
from transformers import LlamaConfig, LlamaForCausalLM

parser = argparse.ArgumentParser()
parser.add_argument("--batch", type=int, default=16)
parser.add_argument("--steps", type=int, default=10)
parser.add_argument("--compile", action="store_true", help="torch.compile (needs a C++ compiler)")
options = parser.parse_args()

folder = pathlib.Path(__file__).parents[2] / "models" / "books-lm"
config = LlamaConfig.from_pretrained(folder)
torch.manual_seed(0)
model = LlamaForCausalLM(config).float()
context = config.max_position_embeddings
forward = torch.compile(model) if options.compile else model


def is_matrix_of_a_layer(name, parameter):
    return ".layers." in name and parameter.ndim == 2


matrices = [p for name, p in model.named_parameters() if is_matrix_of_a_layer(name, p)]
others = [p for name, p in model.named_parameters() if not is_matrix_of_a_layer(name, p)]
optimizers = [
    torch.optim.Muon(matrices, lr=0.01, weight_decay=0.1, adjust_lr_fn="match_rms_adamw"),
    torch.optim.AdamW(others, lr=0.01, betas=(0.9, 0.95), weight_decay=0),
]

seconds = []
for step in range(options.steps + 2):
    ids = torch.randint(config.vocab_size, (options.batch, context))
    targets = torch.randint(config.vocab_size, (options.batch, context))
    start = time.perf_counter()
    logits = forward(ids, use_cache=False).logits
    loss = torch.nn.functional.cross_entropy(logits.flatten(0, 1), targets.flatten())
    loss.backward()
    torch.nn.utils.clip_grad_norm_(model.parameters(), 1)
    for optimizer in optimizers:
        optimizer.step()
        optimizer.zero_grad()
    loss.item()
    if step >= 2:
        seconds.append(time.perf_counter() - start)

median = sorted(seconds)[len(seconds) // 2]
tokens = options.batch * context
name = "PyTorch, torch.compile" if options.compile else "PyTorch"
print(json.dumps({"engine": name, "batch": options.batch, "seconds": median, "tokensPerSecond": tokens / median}))
