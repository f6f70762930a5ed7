"""One iteration of EPO as its library computes it, in PyTorch on a model folder, timed when asked.

Reads a line on standard input, runs one iteration, answers with milliseconds. 8 members, 32 children each, 12 tokens, no
BOS, one token swapped for one of 512; the unit is a neuron, at the last position. The library (dreamy) keeps the
gradients of members that survive; here, as there, only those of new ones are computed.
"""

import json
import sys
import time

import torch
import torch.nn.functional as F
from transformers import AutoModelForCausalLM

folder, layer, neuron = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
MEMBERS, CHILDREN, TOKENS, TOP = 8, 32, 12, 512
torch.manual_seed(0)
model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32).eval().requires_grad_(False)
model.config.use_cache = False
lambdas = torch.exp(torch.linspace(torch.tensor(0.1).log(), torch.tensor(10.0).log(), MEMBERS))

caught = {}
embedding = model.get_input_embeddings().weight
body = model.base_model
mlp = (body.h if hasattr(body, "h") else body.layers)[layer].mlp
written = mlp.c_proj if hasattr(mlp, "c_proj") else mlp.down_proj
written.register_forward_pre_hook(lambda _m, inputs: caught.update(activation=inputs[0]))


def run(**inputs):
    logits = model(**inputs).logits
    return caught["activation"][:, -1, neuron], logits


def gradients(ids, penalties):
    with torch.enable_grad():
        one_hot = F.one_hot(ids, model.config.vocab_size).float().requires_grad_()
        target, logits = run(inputs_embeds=one_hot @ embedding)
        entropy = -(logits[:, :-1].log_softmax(-1) * one_hot[:, 1:]).sum(-1).mean(-1)
        (penalties * entropy - target).sum().backward()
    return one_hot.grad


@torch.no_grad()
def fitness(ids):
    target, logits = run(input_ids=ids)
    losses = F.cross_entropy(logits[:, :-1].reshape(-1, logits.shape[-1]), ids[:, 1:].reshape(-1), reduction="none")
    return target, losses.view(len(ids), -1).mean(-1)


members = torch.randint(0, model.config.vocab_size, (MEMBERS, TOKENS))
target, entropy = fitness(members)
slopes = gradients(members, lambdas)


def iteration():
    global members, target, entropy, slopes
    favoured = (-slopes).topk(TOP, dim=-1).indices
    source = torch.arange(MEMBERS).repeat(CHILDREN)
    children = members[source].clone()
    rows = torch.arange(len(children))
    position = torch.randint(0, TOKENS, (len(children),))
    children[rows, position] = favoured[source, position, torch.randint(0, TOP, (len(children),))]
    new_target, new_entropy = fitness(children)
    ids = torch.cat((members, children))
    target, entropy = torch.cat((target, new_target)), torch.cat((entropy, new_entropy))
    keep = (target[None] - lambdas[:, None] * entropy[None]).argmax(1)
    old, new = keep[keep < MEMBERS], keep[keep >= MEMBERS]
    fresh = gradients(ids[new], lambdas[: len(new)]) if len(new) else slopes[:0]
    slopes = torch.cat((slopes[old], fresh))
    keep = torch.cat((old, new))
    members, target, entropy = ids[keep], target[keep], entropy[keep]


print(json.dumps({"version": torch.__version__, "threads": torch.get_num_threads()}), flush=True)
for _ in sys.stdin:
    start = time.perf_counter()
    iteration()
    print(json.dumps({"milliseconds": (time.perf_counter() - start) * 1000}), flush=True)
