/**
 * @file Sums of units with factors: `L5.H1 + 0.5*L6.N20 - L5.H2`, or a minus sign alone, `-L3.N10`.
 *
 *     sum     = product (("+" | "-") product)*
 *     product = factor ("*" factor)*
 *     factor  = "-" factor | number | "(" sum ")" | unit
 *     unit    = any name in double quotes (as in JSON) | a name up to the first space, sign or ")" before which it is whole
 *
 * A text that is no such sum and a unit's name is that unit, whatever signs are in it: `logit: a + b`. Else the last unit of
 * a sum may be any name, up to the end of the text.
 */
import { UsageError } from '../../core/errors.js';
import { ExpressionText } from '../../core/expression-text.js';
import { formatUnit, parseUnit as readUnit, type TextUnit, tryParseUnit } from './kinds.js';

/** A unit and its factor; never 0. */
export interface UnitTerm {
  readonly weight: number;
  readonly unit: TextUnit;
}

/** Each unit once, at least one. */
export type UnitSum = readonly UnitTerm[];

/**
 * The sum that a text means.
 *
 * @param parseUnit - the unit that a name means; throws for a name that is none
 * @throws UsageError that says where the text stops making sense, and what `parseUnit` throws
 */
export function parseUnitSum(text: string, parseUnit: (name: string) => TextUnit): UnitSum {
  const named = tryParseUnit(text);
  const value = asSum(text) ?? (named ? unitValue(named) : new Parser(text, parseUnit, true).whole());
  if (value.terms.size === 0)
    throw new UsageError(`"${text}" names no unit: a number alone cannot be excited`);
  const sum = [...value.terms.values()];
  const lost = sum.find(({ weight }) => weight === 0);
  if (lost) throw new UsageError(`"${text}" has ${formatUnit(lost.unit)} with the factor 0: leave it out`);
  return sum.map(({ weight, unit }) => ({ weight, unit: parseUnit(formatUnit(unit)) }));
}

/** The text of a sum; `parseUnitSum` gives the sum back. */
export function formatUnitSum(sum: UnitSum): string {
  const [first, ...rest] = sum;
  if (rest.length === 0 && first!.weight === 1 && isAlone(first!.unit)) return formatUnit(first!.unit);
  const product = ({ weight, unit }: UnitTerm) => {
    const factor = Math.abs(weight);
    return `${factor === 1 ? '' : `${factor}*`}${nameInSum(unit)}`;
  };
  return [
    `${first!.weight < 0 ? '-' : ''}${product(first!)}`,
    ...rest.map((term) => `${term.weight < 0 ? '-' : '+'} ${product(term)}`),
  ].join(' ');
}

/** Whether the name by itself means the unit. */
function isAlone(unit: TextUnit): boolean {
  const name = formatUnit(unit);
  const terms = asSum(name)?.terms;
  return terms === undefined || (terms.size === 1 && terms.has(name));
}

function nameInSum(unit: TextUnit): string {
  const name = formatUnit(unit);
  return !/\s/.test(name) && nameIn(name) === name ? name : JSON.stringify(name);
}

/** The shortest name that a text begins with and that a space, a sign, a ")" or the end follows. */
function nameIn(text: string): string | null {
  for (const { index } of text.matchAll(/(?<=\S)(?=[\s+*)-]|$)/g)) {
    const name = text.slice(0, index);
    if (tryParseUnit(name)) return name;
  }
  return null;
}

/** What a part of a text is worth: a number and units with factors, by name. */
interface SumValue {
  readonly constant: number;
  readonly terms: ReadonlyMap<string, UnitTerm>;
}

const unitValue = (unit: TextUnit): SumValue => ({
  constant: 0,
  terms: new Map([[formatUnit(unit), { weight: 1, unit }]]),
});

/** The sum that a text is without a name that takes in its rest; null where it is none. */
function asSum(text: string): SumValue | null {
  try {
    return new Parser(text, readUnit, false).whole();
  } catch (error) {
    if (error instanceof UsageError) return null;
    throw error;
  }
}

class Parser extends ExpressionText {
  /** @param takesRest - whether the last name may go on to the end of the text */
  constructor(
    text: string,
    private readonly parseUnit: (name: string) => TextUnit,
    private readonly takesRest: boolean,
  ) {
    super(text);
  }

  whole(): SumValue {
    const value = this.sum();
    this.end();
    if (value.terms.size > 0 && value.constant !== 0)
      this.fail('a number that is added to units changes nothing');
    return value;
  }

  private sum(): SumValue {
    let left = this.product();
    for (;;) {
      const sign = this.match(/[+-]/y)?.[0];
      if (!sign) return left;
      left = added(left, scaled(this.product(), sign === '-' ? -1 : 1));
    }
  }

  private product(): SumValue {
    let left = this.factor();
    while (this.match(/\*/y)) {
      const right = this.factor();
      if (left.terms.size > 0 && right.terms.size > 0) this.fail('a unit can be multiplied by numbers only');
      left = left.terms.size > 0 ? scaled(left, right.constant) : scaled(right, left.constant);
    }
    return left;
  }

  private factor(): SumValue {
    if (this.match(/-/y)) return scaled(this.factor(), -1);
    if (this.match(/\(/y)) {
      const inside = this.sum();
      if (!this.match(/\)/y)) this.fail('a ")" is missing');
      return inside;
    }
    const unit = this.unit();
    if (unit) return unitValue(unit);
    const number = this.match(/\d+(?:\.\d+)?(?:e[+-]?\d+)?(?![\w.])/iy);
    if (number) return { constant: Number(number[0]), terms: new Map() };
    const rest = this.match(/.*/sy)![0];
    if (rest === '' && this.text.trim() !== '') this.fail('a unit is missing');
    return unitValue(this.parseUnit(rest));
  }

  private unit(): TextUnit | null {
    const quoted = this.match(/"(?:[^"\\]|\\.)*"/sy);
    if (quoted) return this.parseUnit(this.unquoted(quoted[0]));
    this.match(/\s*/y);
    const rest = this.text.slice(this.at);
    const name = this.takesRest && tryParseUnit(rest) ? rest : nameIn(rest);
    if (name === null) return null;
    this.at += name.length;
    return this.parseUnit(name);
  }

  private unquoted(literal: string): string {
    try {
      return JSON.parse(literal) as string;
    } catch {
      return this.fail(`${literal} is no text in double quotes`);
    }
  }
}

function scaled({ constant, terms }: SumValue, factor: number): SumValue {
  const each = [...terms].map(
    ([name, { weight, unit }]) => [name, { weight: weight * factor, unit }] as const,
  );
  return { constant: constant * factor, terms: new Map(each) };
}

function added(left: SumValue, right: SumValue): SumValue {
  const terms = new Map(left.terms);
  for (const [name, { weight, unit }] of right.terms)
    terms.set(name, { weight: weight + (terms.get(name)?.weight ?? 0), unit });
  return { constant: left.constant + right.constant, terms };
}
