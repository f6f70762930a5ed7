/** @file Which option of the command line a field of a job is. */

/** Fields whose option is not their own name. */
const others: Readonly<Record<string, string>> = {
  units: '--unit',
  calibrationText: '--calibrate-on',
  naturalText: '--corpus',
  learningRate: '--rate',
  clipNorm: '--clip',
  parameterization: '--param',
  animation: '--gif',
  image: '--out',
};

/** `--kl-target` for `klTarget`. */
export function optionOf(field: string): string {
  return others[field] ?? `--${field.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
}
