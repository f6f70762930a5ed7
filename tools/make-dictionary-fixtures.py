"""Makes test/fixtures/dictionaries: small dictionaries of random weights for tiny networks of test/fixtures/transformers, in
the files of their formats, and the latents by the published formulas.

    /tmp/venv-fixtures/bin/python tools/make-dictionary-fixtures.py     # the environment of make-fixtures.py

`<network>/<format>/…/expected.safetensors` has `latents` [batch, pos, latent] on the network's own `input_ids`. All read the
stream after layer 0.
"""

import json
import math
import shutil
import zlib
from pathlib import Path

import numpy
import torch
from safetensors.torch import load_file, save_file

FIXTURES = Path(__file__).parent.parent / "test" / "fixtures"
LATENTS, K = 20, 4
AFTER_LAYER_0 = "blocks.0.hook_resid_post"


def main() -> None:
    shutil.rmtree(FIXTURES / "dictionaries", ignore_errors=True)
    for network, makers in MAKERS.items():
        values = load_file(FIXTURES / "transformers" / network / "expected.safetensors")
        stream = values["blocks.1.hook_resid_pre"]
        for maker in makers:
            generator = torch.Generator().manual_seed(zlib.crc32(f"{network} {maker.__name__}".encode()))
            draw = lambda *shape: torch.randn(*shape, generator=generator)
            folder, latents = maker(FIXTURES / "dictionaries" / network, stream, draw)
            assert 0 < (latents != 0).float().mean() < 1, maker.__name__
            save_file({"latents": latents.contiguous()}, folder / "expected.safetensors")


def new(folder: Path) -> Path:
    folder.mkdir(parents=True)
    return folder


def write_json(path: Path, value: object) -> None:
    path.write_text(json.dumps(value) + "\n")


def largest(h: torch.Tensor) -> torch.Tensor:
    top = h.topk(K, -1)
    return torch.zeros_like(h).scatter(-1, top.indices, top.values).relu()


def layer_norm(x: torch.Tensor) -> torch.Tensor:
    x = x - x.mean(-1, keepdim=True)
    return x / (x.std(-1, keepdim=True) + 1e-5)


def saelens(root, x, draw, name, arrays, settings):
    d = x.shape[-1]
    folder = new(root / name)
    save_file(arrays, folder / "sae_weights.safetensors")
    config = {"d_in": d, "d_sae": LATENTS, "metadata": {"hook_name": AFTER_LAYER_0, "model_name": root.name}}
    write_json(folder / "cfg.json", config | settings)
    return folder


def saelens_gated(root, x, draw):
    d = x.shape[-1]
    a = {"W_enc": draw(d, LATENTS), "W_dec": draw(LATENTS, d), "b_dec": draw(d)}
    a |= {name: draw(LATENTS) for name in ("b_gate", "b_mag", "r_mag")}
    folder = saelens(root, x, draw, "saelens-gated", a, {"architecture": "gated"})
    product = (x - a["b_dec"]) @ a["W_enc"]
    size = (product * a["r_mag"].exp() + a["b_mag"]).relu()
    return folder, size * (product + a["b_gate"] > 0)


def saelens_topk_rescaled(root, x, draw):
    d = x.shape[-1]
    a = {"W_enc": draw(d, LATENTS), "W_dec": draw(LATENTS, d), "b_dec": draw(d), "b_enc": draw(LATENTS)}
    settings = {"architecture": "topk", "k": K, "rescale_acts_by_decoder_norm": True}
    folder = saelens(root, x, draw, "saelens-topk-rescaled", a, settings | {"normalize_activations": "layer_norm"})
    h = (layer_norm(x) - a["b_dec"]) @ a["W_enc"] + a["b_enc"]
    return folder, largest(h * a["W_dec"].norm(dim=-1))


def openai(root, x, draw):
    d = x.shape[-1]
    a = {"pre_bias": draw(d), "encoder.weight": draw(LATENTS, d), "latent_bias": draw(LATENTS)}
    a |= {"decoder.weight": draw(LATENTS, d).T, "activation": "TopK"}
    folder = new(root / "openai" / "resid_post_mlp_v5_32k" / "autoencoders")
    torch.save(a | {"activation_state_dict": {"k": K, "postact_fn": "ReLU"}}, folder / "0.pt")
    h = (layer_norm(x) - a["pre_bias"]) @ a["encoder.weight"].T + a["latent_bias"]
    return folder, largest(h)


def sparsify(root, x, draw):
    d = x.shape[-1]
    a = {"encoder.weight": draw(LATENTS, d), "encoder.bias": draw(LATENTS), "W_dec": draw(LATENTS, d), "b_dec": draw(d)}
    folder = new(root / "sparsify" / "layers.0")
    save_file(a, folder / "sae.safetensors")
    write_json(folder / "cfg.json", {"activation": "topk", "k": K, "num_latents": LATENTS, "d_in": d, "transcode": False})
    return folder, largest((x - a["b_dec"]) @ a["encoder.weight"].T + a["encoder.bias"])


def dictionary_learning(root, x, draw):
    d = x.shape[-1]
    a = {"encoder.weight": draw(LATENTS, d), "encoder.bias": draw(LATENTS), "decoder.weight": draw(d, LATENTS)}
    a |= {"b_dec": draw(d), "k": torch.tensor(K), "threshold": torch.tensor(1.5)}
    folder = new(root / "dictionary-learning")
    torch.save(a, folder / "ae.pt")
    trainer = {"dict_class": "BatchTopKSAE", "layer": 0, "lm_name": root.name, "submodule_name": "resid_post_layer_0"}
    write_json(folder / "config.json", {"trainer": trainer})
    h = (x - a["b_dec"]) @ a["encoder.weight"].T + a["encoder.bias"]
    return folder, h * (h > a["threshold"])


def llama_scope(root, x, draw):
    d = x.shape[-1]
    a = {"encoder.weight": draw(LATENTS, d), "encoder.bias": draw(LATENTS)}
    a |= {"decoder.weight": draw(d, LATENTS), "decoder.bias": draw(d)}
    stored = {name: array.bfloat16() for name, array in a.items()}
    folder = new(root / "llama-scope")
    save_file(stored, new(folder / "checkpoints") / "final.safetensors")
    config = {"d_model": d, "d_sae": LATENTS, "jump_relu_threshold": 0.7, "act_fn": "jumprelu"}
    config |= {"hook_point_in": AFTER_LAYER_0, "dataset_average_activation_norm": {"in": 3.5, "out": 3.5}}
    write_json(folder / "hyperparams.json", config | {"norm_activation": "dataset-wise"})
    h = x * (math.sqrt(d) / 3.5) @ stored["encoder.weight"].float().T + stored["encoder.bias"].float()
    return folder, h * (h > 0.7)


def qwen_scope(root, x, draw):
    d = x.shape[-1]
    a = {"W_enc": draw(LATENTS, d), "W_dec": draw(d, LATENTS), "b_enc": draw(LATENTS), "b_dec": draw(d)}
    folder = new(root / f"SAE-Res-Qwen3-tiny-W1K-L0_{K}")
    torch.save(a, folder / "layer0.sae.pt")
    return folder, largest(x @ a["W_enc"].T + a["b_enc"])


def gemma_scope(root, x, draw):
    d = x.shape[-1]
    a = {"W_enc": draw(d, LATENTS), "W_dec": draw(LATENTS, d), "b_enc": draw(LATENTS), "b_dec": draw(d)}
    a |= {"threshold": draw(LATENTS).abs() + 0.5}
    folder = new(root / "gemma-scope-2b-pt-res" / "layer_0" / "width_20" / f"average_l0_{K}")
    numpy.savez(folder / "params.npz", **{name: array.numpy() for name, array in a.items()})
    h = x @ a["W_enc"] + a["b_enc"]
    return folder, h * (h > a["threshold"])


MAKERS = {
    "gpt2": [saelens_gated, saelens_topk_rescaled, openai],
    "llama": [sparsify, dictionary_learning, llama_scope, qwen_scope],
    "gemma2": [gemma_scope],
}

if __name__ == "__main__":
    main()
