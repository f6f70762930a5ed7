/** @file Versions of what could change a result, for `run.json` and `--version`. */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';

/** This package's own version. */
export function packageVersion(): string {
  const file = new URL('../../package.json', import.meta.url);
  return (JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version;
}

/** Program, runtime and the libraries that do the arithmetic, by name. */
export function runVersions(): { [name: string]: string } {
  const require = createRequire(import.meta.url);
  const versionOf = (name: string) => (require(`${name}/package.json`) as { version: string }).version;
  return {
    superstimulus: packageVersion(),
    node: process.versions.node,
    'onnxruntime-node': versionOf('onnxruntime-node'),
    '@tensorflow/tfjs-core': versionOf('@tensorflow/tfjs-core'),
  };
}
