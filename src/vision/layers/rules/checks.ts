/** @file What the rules ask of the shapes and settings they are given. Each throws UserError. */
import { UserError } from '../../../core/errors.js';
import { sizeOf } from '../../../engine/tensor-spec.js';
import { checkArray, limits, shown } from '../../limits.js';
import { channelCount, type Shape } from '../op.js';
import type { Param } from '../params.js';
import { type Placement, placeWindow, type Window } from '../windows.js';

/** [batch, height, width, channel] */
export function imageShape(input: Shape | undefined): [number, number, number, number] {
  if (input?.length === 4) return [...input] as [number, number, number, number];
  throw new UserError(`wants an image of four axes, not [${input ?? ''}]`);
}

/** A window laid over an image; the image with its padding is an array that can be computed too. */
export function placedWindow(window: Window, image: readonly [number, number, number, number]): Placement {
  const [batch, height, width, channels] = image;
  const placement = placeWindow(window, height, width);
  const [top, bottom, left, right] = placement.pads;
  checkArray([batch, height + top + bottom, width + left + right, channels], batch);
  return placement;
}

export function checkAxes(axes: readonly number[], input: Shape): void {
  const wrong = axes.find((axis) => !Number.isInteger(axis) || axis < 0 || axis >= input.length);
  if (wrong !== undefined) throw new UserError(`has the axis ${wrong} for an array of ${input.length} axes`);
}

export function checkSetting(value: number, what: string): void {
  if (!Number.isFinite(value)) throw new UserError(`has the ${what} ${value}`);
}

/** One axis is resized by a matrix [output, input]. */
export function checkResize(input: number, output: number): void {
  if (input !== output && input * output > limits.resize)
    throw new UserError(`resizes ${input} rows or columns to ${output}, which is too many`);
}

/** Throws UserError unless a weight has one entry for each channel. */
export function checkVector(p: Param | undefined, channels: number): void {
  if (!p || (channelCount(p.shape) === channels && sizeOf(p.shape) === channels)) return;
  throw new UserError(`the weight "${p.name}" is [${shown(p.shape)}] where ${channels} channels are`);
}
