/** @file What the planes of a network's pictures are: colours, copies of one grey picture, or a grey picture each. */
import { UsageError } from '../core/errors.js';
import { field } from '../core/field.js';
import type { InputKind } from './names.js';

/** What so many planes are when nobody says. */
export const usualInput = (planes: number): InputKind =>
  planes === 3 ? 'colors' : planes === 1 ? 'grey' : 'planes';

/** Planes of the picture that is optimized; a grey one is shown to every plane of the network. */
export const drawnPlanes = (planes: number, input: InputKind = usualInput(planes)): number =>
  input === 'grey' ? 1 : planes;

/** How many planes are colours, red, green and blue in turn. Those behind them are grey pictures, such as an alpha channel. */
export const colourPlanes = (planes: number, input: InputKind = usualInput(planes)): number =>
  input === 'colors' ? planes - (planes % 3) : 0;

/** Throws UsageError where there are too few planes for colours. */
export function checkInput(planes: number, input: InputKind, network: string): void {
  if (input !== 'colors' || planes >= 3) return;
  throw new UsageError(
    `${network} reads pictures of ${planes === 1 ? '1 plane' : `${planes} planes`}, too few for colours: leave ${field('input')} out, or set it to planes`,
  );
}
