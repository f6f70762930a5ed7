"""Makes test/fixtures/dictionaries: small dictionaries of random weights for tiny networks of test/fixtures/transformers, in
the files of their formats, and the latents by the published formulas.

    /tmp/venv-fixtures/bin/python tools/make-dictionary-fixtures.py     # the environment of make-fixtures.py

`<network>/<format>/…/expected.safetensors` has `latents` [batch, pos, latent] on the network's own `input_ids`. All but those
with `reads` read the stream after layer 0.
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
        for maker in makers:
            stream = getattr(maker, "reads", after_layer_0)(values)
            generator = torch.Generator().manual_seed(zlib.crc32(f"{network} {maker.__name__}".encode()))
            draw = lambda *shape: torch.randn(*shape, generator=generator)
            folder, latents = maker(FIXTURES / "dictionaries" / network, stream, draw)
            assert 0 < (latents != 0).float().mean() < 1, maker.__name__
            save_file({"latents": latents.contiguous()}, folder / "expected.safetensors")


def after_layer_0(values: dict[str, torch.Tensor]) -> torch.Tensor:
    return values["blocks.1.hook_resid_pre"]


def reading(reads):
    """For a maker that reads something else of a network's values."""

    def mark(maker):
        maker.reads = reads
        return maker

    return mark


def behind_attention(layer: int):
    """The stream between attention and MLP, in a network whose attention has no bias."""

    def reads(values):
        added = values[f"blocks.{layer}.attn.hook_result"].sum(-2)
        return values[f"blocks.{layer}.hook_resid_pre"] + added

    return reads


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


def saelens_centred(root, x, draw):
    d = x.shape[-1]
    a = {"W_enc": draw(d, LATENTS), "W_dec": draw(LATENTS, d), "b_dec": draw(d), "b_enc": draw(LATENTS)}
    settings = {"model_from_pretrained_kwargs": {"center_writing_weights": True}, "activation_fn_str": "relu"}
    folder = saelens(root, x, draw, "saelens-centred", a, settings)
    x = x - x.mean(-1, keepdim=True)
    return folder, ((x - a["b_dec"]) @ a["W_enc"] + a["b_enc"]).relu()


def openai(root, x, draw):
    d = x.shape[-1]
    a = {"pre_bias": draw(d), "encoder.weight": draw(LATENTS, d), "latent_bias": draw(LATENTS)}
    a |= {"decoder.weight": draw(LATENTS, d).T, "activation": "TopK"}
    folder = new(root / "openai" / "resid_post_mlp_v5_32k" / "autoencoders")
    torch.save(a | {"activation_state_dict": {"k": K, "postact_fn": "ReLU"}}, folder / "0.pt")
    h = (layer_norm(x) - a["pre_bias"]) @ a["encoder.weight"].T + a["latent_bias"]
    return folder, largest(h)


@reading(lambda values: values["blocks.0.mlp.hook_post"])
def openai_older(root, x, draw):
    d = x.shape[-1]
    a = {"pre_bias": draw(d), "encoder.weight": draw(LATENTS, d), "latent_bias": draw(LATENTS)}
    a |= {"decoder.weight": draw(LATENTS, d).T, "stats_last_nonzero": torch.zeros(LATENTS, dtype=torch.long)}
    folder = new(root / "openai-older" / "mlp_post_act" / "autoencoders")
    torch.save(a, folder / "0.pt")
    return folder, ((x - a["pre_bias"]) @ a["encoder.weight"].T + a["latent_bias"]).relu()


def sparsify(root, x, draw):
    d = x.shape[-1]
    a = {"encoder.weight": draw(LATENTS, d), "encoder.bias": draw(LATENTS), "W_dec": draw(LATENTS, d), "b_dec": draw(d)}
    folder = new(root / "sparsify" / "layers.0")
    save_file(a, folder / "sae.safetensors")
    write_json(folder / "cfg.json", {"activation": "topk", "k": K, "num_latents": LATENTS, "d_in": d, "transcode": False})
    return folder, largest((x - a["b_dec"]) @ a["encoder.weight"].T + a["encoder.bias"])


def dictionary_learning(root, name, kind, arrays):
    folder = new(root / name)
    torch.save(arrays, folder / "ae.pt")
    trainer = {"dict_class": kind, "layer": 0, "lm_name": root.name, "submodule_name": "resid_post_layer_0"}
    write_json(folder / "config.json", {"trainer": trainer})
    return folder


def linear(draw, d):
    """An encoder and a decoder that are linear layers."""
    return {"encoder.weight": draw(LATENTS, d), "decoder.weight": draw(d, LATENTS)}


def dictionary_learning_batch_topk(root, x, draw):
    d = x.shape[-1]
    a = linear(draw, d) | {"encoder.bias": draw(LATENTS), "b_dec": draw(d)}
    a |= {"k": torch.tensor(K), "threshold": torch.tensor(1.5)}
    h = (x - a["b_dec"]) @ a["encoder.weight"].T + a["encoder.bias"]
    return dictionary_learning(root, "dictionary-learning", "BatchTopKSAE", a), h * (h > a["threshold"])


def dictionary_learning_plain(root, x, draw):
    d = x.shape[-1]
    a = linear(draw, d) | {"encoder.bias": draw(LATENTS), "bias": draw(d)}
    h = (x - a["bias"]) @ a["encoder.weight"].T + a["encoder.bias"]
    return dictionary_learning(root, "dictionary-learning-plain", "AutoEncoder", a), h.relu()


def dictionary_learning_new(root, x, draw):
    d = x.shape[-1]
    a = linear(draw, d) | {"encoder.bias": draw(LATENTS), "decoder.bias": draw(d)}
    h = x @ a["encoder.weight"].T + a["encoder.bias"]
    return dictionary_learning(root, "dictionary-learning-new", "AutoEncoderNew", a), h.relu()


def dictionary_learning_gated(root, x, draw):
    d = x.shape[-1]
    a = linear(draw, d) | {"decoder_bias": draw(d)}
    a |= {name: draw(LATENTS) for name in ("r_mag", "gate_bias", "mag_bias")}
    product = (x - a["decoder_bias"]) @ a["encoder.weight"].T
    size = (product * a["r_mag"].exp() + a["mag_bias"]).relu()
    folder = dictionary_learning(root, "dictionary-learning-gated", "GatedAutoEncoder", a)
    return folder, size * (product + a["gate_bias"] > 0)


def dictionary_learning_topk(root, x, draw):
    d = x.shape[-1]
    a = linear(draw, d) | {"encoder.bias": draw(LATENTS), "b_dec": draw(d)}
    a |= {"k": torch.tensor(K, dtype=torch.int32), "threshold": torch.tensor(-1.0)}
    h = (x - a["b_dec"]) @ a["encoder.weight"].T + a["encoder.bias"]
    return dictionary_learning(root, "dictionary-learning-topk", "AutoEncoderTopK", a), largest(h)


def dictionary_learning_matryoshka(root, x, draw):
    d = x.shape[-1]
    a = {"W_enc": draw(d, LATENTS), "b_enc": draw(LATENTS), "W_dec": draw(LATENTS, d), "b_dec": draw(d)}
    a |= {"k": torch.tensor(K), "threshold": torch.tensor(1.25), "group_sizes": torch.tensor([LATENTS // 4, LATENTS * 3 // 4])}
    h = (x - a["b_dec"]) @ a["W_enc"] + a["b_enc"]
    folder = dictionary_learning(root, "dictionary-learning-matryoshka", "MatryoshkaBatchTopKSAE", a)
    return folder, h * (h > a["threshold"])


def dictionary_learning_jumprelu(root, x, draw):
    d = x.shape[-1]
    a = {"W_enc": draw(d, LATENTS), "b_enc": draw(LATENTS), "W_dec": draw(LATENTS, d), "b_dec": draw(d)}
    # Some are below 0: what is negative is no activation all the same.
    a |= {"threshold": draw(LATENTS)}
    h = x @ a["W_enc"] + a["b_enc"]
    folder = dictionary_learning(root, "dictionary-learning-jumprelu", "JumpReluAutoEncoder", a)
    return folder, (h * (h > a["threshold"])).relu()


def clt(root, x, draw, name, layer, extra):
    """The layers of a cross-layer transcoder write to all behind them: a decoder has an axis more."""
    d = x.shape[-1]
    a = {"W_enc": draw(LATENTS, d), "b_enc": draw(LATENTS), "b_dec": draw(d)} | extra
    folder = new(root / name)
    save_file({f"{part}_{layer}": array for part, array in a.items()}, folder / f"W_enc_{layer}.safetensors")
    save_file({f"W_dec_{layer}": draw(LATENTS, 2 - layer, d)}, folder / f"W_dec_{layer}.safetensors")
    return folder, x @ a["W_enc"].T + a["b_enc"]


@reading(behind_attention(0))
def clt_jumprelu(root, x, draw):
    threshold = draw(LATENTS).abs()
    folder, h = clt(root, x, draw, "clt-jumprelu", 0, {"threshold": threshold})
    lines = ["model_kind: cross_layer_transcoder", f'model_name: "{root.name}"', "feature_input_hook: hook_resid_mid"]
    (folder / "config.yaml").write_text("\n".join([*lines, "feature_output_hook: hook_mlp_out", ""]))
    return folder, h * (h > threshold)


@reading(behind_attention(1))
def clt_relu(root, x, draw):
    folder, h = clt(root, x, draw, "clt-relu", 1, {})
    return folder, h.relu()


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
    "gpt2": [saelens_gated, saelens_topk_rescaled, saelens_centred, openai, openai_older],
    "llama": [
        sparsify,
        dictionary_learning_batch_topk,
        dictionary_learning_plain,
        dictionary_learning_new,
        dictionary_learning_gated,
        dictionary_learning_topk,
        dictionary_learning_matryoshka,
        dictionary_learning_jumprelu,
        clt_jumprelu,
        clt_relu,
        llama_scope,
        qwen_scope,
    ],
    "gemma2": [gemma_scope],
}

if __name__ == "__main__":
    main()
