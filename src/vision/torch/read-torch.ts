/** @file A network of PyTorch, timm or transformers by its weights: safetensors, or as `torch.save` writes them. */
import { dirname } from 'node:path';
import { openSafetensors } from '../../engine/weights/safetensors.js';
import { openTorchFile } from '../../engine/weights/torch-file.js';
import { type NetworkReader, torchFile } from '../model-file.js';
import { architectureConfig } from './config.js';
import { torchNetwork } from './index.js';

/** Throws UserError for weights of no known network. */
export const readTorch: NetworkReader = ({ file, label, size }) => {
  const weights = torchFile.test(file) ? openTorchFile(file) : openSafetensors(file);
  const named = { ...(label && { name: label }), ...(size !== undefined && { size }) };
  return torchNetwork(weights, { ...named, config: architectureConfig(dirname(file)) });
};
