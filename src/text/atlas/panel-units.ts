/** @file The units of an atlas, by the groups that they are read in. */
import type { ReferenceClass } from '../readouts/reference.js';
import type { UnitSet } from './unit-pattern.js';

/** A unit of an atlas. */
export interface PanelUnit {
  readonly name: string;
  readonly part: PanelPart;
  /** In its group. */
  readonly index: number;
}

/** The units of an atlas that are in one group. */
export interface PanelPart extends UnitSet {
  /** Of its units, among those of the atlas. */
  readonly first: number;
  /** Where the group's columns begin in `own` of `chosenZ`. */
  readonly offset: number;
  /** What its units have as rivals together, themselves included. */
  readonly rivals: ReferenceClass;
}
