/** @file Weights in formats that are not read: what they are, and how to come from there to one that is. */
import { basename, extname } from 'node:path';

interface Foreign {
  /** As it continues "… is". */
  readonly what: string;
  /** As it continues "which is not read: ". */
  readonly way: string;
}

const torch: Foreign = {
  what: 'a checkpoint of PyTorch',
  way: "write its tensors as safetensors, with python -c \"import sys, torch; from safetensors.torch import save_file; save_file(torch.load(sys.argv[1], map_location='cpu'), 'model.safetensors')\" FILE",
};

const keras = (format: string): Foreign => ({
  what: 'a model of Keras',
  way: `convert it with tensorflowjs_converter --input_format=${format} FILE FOLDER, then give that folder`,
});

const formats: ReadonlyMap<string, Foreign> = new Map([
  ['.pth', torch],
  ['.pt', torch],
  ['.ckpt', torch],
  ['.bin', torch],
  ['.h5', keras('keras')],
  ['.keras', keras('keras_keras')],
  [
    '.gguf',
    {
      what: 'a quantized model of llama.cpp',
      way: 'name the model on the hub that it was made from (its card says which)',
    },
  ],
  [
    '.msgpack',
    {
      what: 'a checkpoint of Flax',
      way: 'save it as safetensors with from_pretrained(FOLDER, from_flax=True).save_pretrained(FOLDER) of transformers',
    },
  ],
]);

/** What the first file of a foreign format is, as a sentence without its end; null where none has one. */
export function foreignFormat(files: readonly string[]): string | null {
  for (const file of files) {
    const format = formats.get(extname(file).toLowerCase());
    if (format !== undefined) return `${basename(file)} is ${format.what}, which is not read: ${format.way}`;
  }
  return null;
}
