"""Makes test/fixtures/vision: tiny vision networks, of random weights, and what PyTorch says that they compute.

    python3 -m venv /tmp/venv-fixtures
    /tmp/venv-fixtures/bin/pip install torch==2.9.1 torchvision transformers timm onnx onnxscript
    /tmp/venv-fixtures/bin/python tools/make-vision-fixtures.py         # all
    /tmp/venv-fixtures/bin/python tools/make-vision-fixtures.py clip    # one

The format: test/fixtures/README.md.
"""

import json
import shutil
import sys
import zlib
from pathlib import Path

import onnx
import torch
from fixtures.vision import SEERS, Seer
from safetensors.torch import save_file
from transformers.utils import logging

FOLDER = Path(__file__).parent.parent / "test" / "fixtures" / "vision"
MOST_BYTES = 100_000
# torch's exporters to ONNX: by traced TorchScript, and by torch.export.
EXPORTERS = {"torchscript": False, "dynamo": True}
# Layers whose gradient is kept: late ones, of every kind.
GRADIENTS = ("blocks.1.mlp", "heads", "blocks.1", "head", "stages.1", "blocks.0.mlp", "fc")


def make(name: str, seer: Seer, folder: Path) -> None:
    generator = torch.Generator().manual_seed(zlib.crc32(name.encode()))
    network = seer.build().eval()
    randomize(network, generator)
    shutil.rmtree(folder, ignore_errors=True)
    save(network, folder)
    values = {}
    for size in seer.sizes:
        pixels = torch.rand(1, 3, size, size, generator=generator)
        values |= {f"{size}.{key}": value for key, value in evaluate(network, seer, pixels).items()}
    save_file(values, folder / "expected.safetensors")
    if seer.exported is None:
        return
    folder = FOLDER.parent / "vision-onnx" / name
    folder.mkdir(exist_ok=True, parents=True)
    (folder / "places.json").write_text(json.dumps(exported_places(seer), indent=2) + "\n")
    for exporter in EXPORTERS:
        export(network, seer, exporter, folder / f"{exporter}.onnx")


def export(network, seer: Seer, exporter: str, path: Path) -> None:
    """An ONNX file for batches of any size, as most are, without what tells of this machine."""
    settings = {"dynamic_axes": {"pixels": {0: "batch"}}, "opset_version": 17}
    if EXPORTERS[exporter]:
        settings = {"dynamic_shapes": ({0: torch.export.Dim.AUTO},), "external_data": False, "verbose": False}
    pixels = torch.rand(2, 3, seer.sizes[0], seer.sizes[0])
    torch.onnx.export(
        seer.exported(network), (pixels,), path, input_names=["pixels"], dynamo=EXPORTERS[exporter], **settings
    )
    model = onnx.load(path)
    model.graph.ClearField("value_info")
    del model.metadata_props[:], model.graph.metadata_props[:]
    for node in model.graph.node:
        node.ClearField("doc_string")
        kept = [prop for prop in node.metadata_props if prop.key == "pkg.torch.onnx.name_scopes"]
        del node.metadata_props[:]
        node.metadata_props.extend(kept)
    onnx.save(model, path)
    assert path.stat().st_size < MOST_BYTES, f"{path} takes {path.stat().st_size} bytes"


def exported_places(seer: Seer) -> dict[str, str]:
    """What our layers are called in an ONNX file: modules; heads beside the projection that reads them."""
    return {
        layer: place.removeprefix("<").rpartition(".")[0] + ".heads" if kind == "heads" else place
        for layer, (place, kind) in seer.places.items()
    }


@torch.no_grad()
def randomize(network, generator: torch.Generator) -> None:
    """No parameter keeps a value at which leaving it out would not show: norms and layer scales are not 1, biases not 0."""
    for name, parameter in network.named_parameters():
        noise = torch.randn(parameter.shape, generator=generator)
        scale = name.endswith(("norm.weight", "gamma", "lambda1", "layer_scale_parameter")) or "norm" in name
        parameter.copy_(0.2 * noise + 1 if scale and not name.endswith("bias") else 0.3 * noise)


def save(network, folder: Path) -> None:
    if hasattr(network, "save_pretrained"):
        network.save_pretrained(folder)
        path = folder / "config.json"
        config = json.loads(path.read_text())
        del config["transformers_version"]
        path.write_text(json.dumps(config, indent=2, sort_keys=True) + "\n")
    else:
        from timm.models import save_for_hf

        heads = network.blocks[0].attn.num_heads if hasattr(network, "blocks") else None
        save_for_hf(network, folder, safe_serialization=True, model_args=heads and {"num_heads": heads})
        (folder / "pytorch_model.bin").unlink(missing_ok=True)


def evaluate(network, seer: Seer, pixels: torch.Tensor) -> dict[str, torch.Tensor]:
    """Activations of each place, channels last, and the image's gradient of the mean of channel 1 over the patches."""
    pixels.requires_grad_()
    modules = dict(network.named_modules())
    found = {}

    def keep(layer: str):
        def hook(_module, inputs, output=None):
            value = inputs[0] if output is None else output
            found[layer] = value[0] if isinstance(value, tuple) else value

        return hook

    handles = []
    for layer, (place, _) in seer.places.items():
        module = modules[place.removeprefix("<")]
        register = module.register_forward_pre_hook if place[0] == "<" else module.register_forward_hook
        handles.append(register(keep(layer)))
    seer.call(network, pixels)
    for handle in handles:
        handle.remove()

    values = {"input": pixels.detach().permute(0, 2, 3, 1)}
    for layer, (place, kind) in seer.places.items():
        value = found[layer]
        if kind == "heads":
            value = head_norms(value, modules[place.removeprefix("<")].weight, seer.heads)
        if kind in ("tokens", "heads"):
            side = round((value.shape[1] - seer.prefix) ** 0.5)
            values[f"{layer}@cls"] = value[:, 0].detach()
            value = value[:, seer.prefix :].reshape(1, side, side, -1)
        elif kind == "map":
            value = value.permute(0, 2, 3, 1)
        values[layer] = value.detach()
        if layer.endswith(GRADIENTS):
            (gradient,) = torch.autograd.grad(value[..., 1].mean(), pixels, retain_graph=True)
            values[f"{layer} gradient"] = gradient.permute(0, 2, 3, 1)
    return {key: value.contiguous() for key, value in values.items()}


def head_norms(z: torch.Tensor, weight: torch.Tensor, heads: int) -> torch.Tensor:
    """The L2 norm of what each head adds: z [batch, token, head * dHead], weight [out, head * dHead]."""
    parts = zip(z.chunk(heads, -1), weight.chunk(heads, 1), strict=True)
    return torch.stack([(part @ matrix.T).norm(dim=-1) for part, matrix in parts], -1)


def main(names: list[str]) -> None:
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    for name in names or SEERS:
        folder = FOLDER / name
        make(name, SEERS[name], folder)
        size = sum(file.stat().st_size for file in folder.iterdir())
        assert size < MOST_BYTES, f"{name} takes {size} bytes"
        print(f"{name}: {size / 1000:.0f} kB")


main(sys.argv[1:])
