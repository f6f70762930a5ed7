"""Makes test/fixtures/transformers: tiny networks of random weights, and what PyTorch says that they compute.

    python3 -m venv /tmp/venv-fixtures
    /tmp/venv-fixtures/bin/pip install torch transformers accelerate
    /tmp/venv-fixtures/bin/python tools/make-fixtures.py              # all
    /tmp/venv-fixtures/bin/python tools/make-fixtures.py llama        # one
    /tmp/venv-fixtures/bin/python tools/make-fixtures.py --check DIR  # computes again what the folders in DIR hold

The format: test/fixtures/README.md.
"""

import json
import math
import shutil
import sys
import zlib
from pathlib import Path

import torch
from fixtures import experts, gpt, llama, post_norm
from fixtures.model import Model
from fixtures.mxfp4 import pack_experts, write_packed
from fixtures.places import is_offset_norm, places
from fixtures.spelling import older_spelling
from safetensors.torch import load_file, save_file
from transformers import AutoConfig, AutoModelForCausalLM
from transformers.utils import logging

FOLDER = Path(__file__).parent.parent / "test" / "fixtures" / "transformers"
MODELS = gpt.MODELS | llama.MODELS | post_norm.MODELS | experts.MODELS
BATCH, POS, VOCAB = 2, 8, 32
MOST_BYTES = 100_000
# So large that another one would show.
EPSILON = 0.02
NORM_EPSILONS = {"layer_norm_eps", "layer_norm_epsilon", "norm_epsilon", "rms_norm_eps"}
TOLERANCE = 1e-5


def make(name: str, model: Model, folder: Path) -> None:
    generator = torch.Generator().manual_seed(zlib.crc32(name.encode()))
    common = {"vocab_size": VOCAB, "bos_token_id": 0, "eos_token_id": 1, "pad_token_id": 0}
    config = AutoConfig.for_model(model.family, **common, **model.settings)
    for key in NORM_EPSILONS & vars(config.get_text_config()).keys():
        setattr(config.get_text_config(), key, EPSILON)
    network = AutoModelForCausalLM.from_config(config, attn_implementation="eager").eval()
    randomize(network, generator)
    packed = pack_experts(network, generator) if model.packed else {}
    shutil.rmtree(folder, ignore_errors=True)
    network.save_pretrained(folder)
    (folder / "generation_config.json").unlink(missing_ok=True)
    if model.bare:
        drop_prefix(folder / "model.safetensors", f"{network.base_model_prefix}.")
    if packed:
        write_packed(folder, packed)
    write_config(folder / "config.json", model)

    # The values are those of the folder, read again: its config.json says everything.
    stored = open_network(folder)
    values = {}
    # Texts until the neuron is not silent.
    while not values or any(not value.any() for name, value in values.items() if name.startswith("grad.")):
        values = places(stored, torch.randint(2, VOCAB, (BATCH, POS), generator=generator))
    torch.testing.assert_close(values["logits"], network(values["input_ids"]).logits)
    save_file(values, folder / "expected.safetensors")


@torch.no_grad()
def randomize(network, generator: torch.Generator) -> None:
    """No parameter keeps a value at which leaving it out would not show: norms are not 1, biases not 0."""
    for module in network.modules():
        norm = "Norm" in type(module).__name__
        for name, parameter in module.named_parameters(recurse=False):
            noise = torch.randn(parameter.shape, generator=generator)
            if norm and name == "weight":
                parameter.copy_(0.2 * noise + (0 if is_offset_norm(module) else 1))
            else:
                parameter.copy_((0.3 if parameter.dim() > 1 else 0.2) * noise)
    network.tie_weights()


def drop_prefix(path: Path, prefix: str) -> None:
    weights = {name.removeprefix(prefix): value for name, value in load_file(path).items()}
    save_file(weights, path, metadata={"format": "pt"})


def write_config(path: Path, model: Model) -> None:
    config = json.loads(path.read_text())
    del config["transformers_version"]
    if model.older:
        config = older_spelling(config, AutoConfig.for_model(model.family).to_dict())
    path.write_text(json.dumps(config, indent=2, sort_keys=True) + "\n")


def open_network(folder: Path):
    return AutoModelForCausalLM.from_pretrained(folder, attn_implementation="eager", dtype=torch.float32).eval()


def check(folder: Path) -> bool:
    """Whether a fixture holds what this script computes from its network."""
    stored = load_file(folder / "expected.safetensors")
    values = places(open_network(folder), stored["input_ids"].long())
    same_names = stored.keys() == values.keys()
    error = max(relative_error(values[name], stored[name]) for name in stored.keys() & values.keys())
    print(f"{folder.name}: {len(stored)} values, off by at most {error:.1e}{'' if same_names else ', names differ'}")
    return same_names and error < TOLERANCE


def relative_error(value: torch.Tensor, reference: torch.Tensor) -> float:
    if value.shape != reference.shape:
        return math.inf
    difference = (value - reference).abs().max().item()
    return difference and difference / reference.abs().max().item()


def main(arguments: list[str]) -> int:
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    if arguments[:1] == ["--check"]:
        folders = sorted(config.parent for config in Path(arguments[1]).glob("*/config.json"))
        return 0 if all([check(folder) for folder in folders]) else 1
    for name in arguments or MODELS:
        folder = FOLDER / name
        make(name, MODELS[name], folder)
        size = sum(file.stat().st_size for file in folder.iterdir())
        assert size < MOST_BYTES, f"{name} takes {size} bytes"
        print(f"{name}: {size / 1000:.0f} kB")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
