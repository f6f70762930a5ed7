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

/** Arguments, and fields that only files and programs give. */
export const withoutOption: readonly string[] = ['version', 'task', 'files', 'baseline', 'finalists'];

/** `--kl-target` for `klTarget`; the field's own name where it has no option. */
export function optionOf(field: string): string {
  if (withoutOption.includes(field)) return field;
  return others[field] ?? `--${field.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
}
