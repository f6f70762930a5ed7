/** @file What the nodes of an .onnx file are called beside their own names: the PyTorch modules that they come from. */
import type { OnnxNode } from '../../engine/compiler/onnx-proto.js';
import type { GraphBuilder } from '../layers/graph.js';
import { limits } from '../limits.js';
import { nameSchema } from './json-file.js';

/** The PyTorch module a node was traced in, as either of torch's exporters records it. */
export function modulePath({ name = '', metadataProps = [] }: OnnxNode): string {
  const scopes = nameSchema.safeParse(
    metadataProps.find(({ key }) => key === 'pkg.torch.onnx.name_scopes')?.value,
  ).data;
  // A Python list of strings: every module around the node, then the operation.
  if (scopes) return [...scopes.matchAll(/'([^']*)'/g)].map((match) => match[1]!).at(-2) ?? '';
  if (!name.startsWith('/')) return '';
  // "/features/features.1/conv/conv.0/Conv": children of a Sequential repeat its name.
  const path: string[] = [];
  for (const part of name.split('/').slice(1, -1)) {
    if (path.length > 0 && part.startsWith(`${path.at(-1)}.`)) path.pop();
    path.push(part);
  }
  return path.join('.');
}

/** A module means the last node inside it; a weight's name, less its last part, means the node that reads it. */
export function addAliases(
  graph: GraphBuilder,
  nodes: readonly OnnxNode[],
  unreachable: ReadonlyMap<string, string>,
): void {
  const layers = nodes
    .map((node) => ({ node, name: node.name || node.output?.[0] || '', parts: modulePath(node).split('.') }))
    .filter(({ name }) => graph.hasLayer(name) || unreachable.has(name));
  for (const { parts, name } of [...layers].reverse()) {
    for (let length = Math.min(parts.length, limits.scopes); length > 0; length--) {
      const module = parts.slice(0, length).join('.');
      if (module) graph.module(module, name);
    }
  }
  for (const { node, name } of layers) {
    const module = /^(.+)\.weight$/.exec(node.input?.[1] ?? '')?.[1];
    if (module) graph.alias(module, name);
    for (const output of node.output ?? []) graph.alias(output, name);
  }
}
