/**
 * @file Sums of units with factors: `L5.H1 + 0.5*L6.N20 - L5.H2`, or a minus sign alone, `-L3.N10`.
 *
 *     sum     = product (("+" | "-") product)*
 *     product = factor ("*" factor)*
 *     factor  = "-" factor | number | "(" sum ")" | unit
 *     unit    = a name of letters, digits, ".", "[", "]", "_" and ":pre" | any name in double quotes (as in JSON)
 *             | any name, up to the end of the text
 *
 * A text that is a unit's name is that unit, whatever signs are in it.
 */
import { UsageError } from '../../core/errors.js';
import { ExpressionText } from '../../core/expression-text.js';
import { formatUnit, type TextUnit, tryParseUnit } from './kinds.js';

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
  if (namesTextUnit(text)) return [{ weight: 1, unit: parseUnit(text) }];
  const parser = new Parser(text, parseUnit);
  const { terms } = parser.whole();
  if (terms.size === 0) throw new UsageError(`"${text}" names no unit: a number alone cannot be excited`);
  const sum = [...terms.values()];
  const lost = sum.find(({ weight }) => weight === 0);
  if (lost) throw new UsageError(`"${text}" has ${formatUnit(lost.unit)} with the factor 0: leave it out`);
  return sum;
}

/** The text of a sum; `parseUnitSum` gives the sum back. */
export function formatUnitSum(sum: UnitSum): string {
  const [first, ...rest] = sum;
  if (rest.length === 0 && first!.weight === 1) return formatUnit(first!.unit);
  const product = ({ weight, unit }: UnitTerm) => {
    const factor = Math.abs(weight);
    return `${factor === 1 ? '' : `${factor}*`}${nameInSum(unit)}`;
  };
  return [
    `${first!.weight < 0 ? '-' : ''}${product(first!)}`,
    ...rest.map((term) => `${term.weight < 0 ? '-' : '+'} ${product(term)}`),
  ].join(' ');
}

/** Names that need no quotes in a sum. */
const BARE = /[A-Za-z][\w.[\]]*(?::pre\b)?/y;

const namesTextUnit = (name: string) => tryParseUnit(name) !== null;

function nameInSum(unit: TextUnit): string {
  const name = formatUnit(unit);
  BARE.lastIndex = 0;
  return BARE.exec(name)?.[0] === name ? name : JSON.stringify(name);
}

/** What a part of a text is worth: a number and units with factors, by name. */
interface Value {
  readonly constant: number;
  readonly terms: ReadonlyMap<string, UnitTerm>;
}

class Parser extends ExpressionText {
  constructor(
    text: string,
    private readonly parseUnit: (name: string) => TextUnit,
  ) {
    super(text);
  }

  whole(): Value {
    const value = this.sum();
    this.end();
    if (value.terms.size > 0 && value.constant !== 0)
      this.fail('a number that is added to units changes nothing');
    return value;
  }

  private sum(): Value {
    let left = this.product();
    for (;;) {
      const sign = this.match(/[+-]/y)?.[0];
      if (!sign) return left;
      left = added(left, scaled(this.product(), sign === '-' ? -1 : 1));
    }
  }

  private product(): Value {
    let left = this.factor();
    while (this.match(/\*/y)) {
      const right = this.factor();
      if (left.terms.size > 0 && right.terms.size > 0) this.fail('a unit can be multiplied by numbers only');
      left = left.terms.size > 0 ? scaled(left, right.constant) : scaled(right, left.constant);
    }
    return left;
  }

  private factor(): Value {
    if (this.match(/-/y)) return scaled(this.factor(), -1);
    if (this.match(/\(/y)) {
      const inside = this.sum();
      if (!this.match(/\)/y)) this.fail('a ")" is missing');
      return inside;
    }
    const number = this.match(/\d+(?:\.\d+)?(?:e[+-]?\d+)?(?![\w.])/iy);
    if (number) return { constant: Number(number[0]), terms: new Map() };
    const unit = this.unit();
    return { constant: 0, terms: new Map([[formatUnit(unit), { weight: 1, unit }]]) };
  }

  private unit(): TextUnit {
    const quoted = this.match(/"(?:[^"\\]|\\.)*"/sy);
    if (quoted) return this.parseUnit(this.unquoted(quoted[0]));
    const start = this.at;
    const bare = this.match(BARE);
    if (bare && namesTextUnit(bare[0])) return this.parseUnit(bare[0]);
    this.at = start;
    const rest = this.match(/.*/sy)![0];
    if (rest === '' && this.text.trim() !== '') this.fail('a unit is missing');
    return this.parseUnit(rest);
  }

  private unquoted(literal: string): string {
    try {
      return JSON.parse(literal) as string;
    } catch {
      return this.fail(`${literal} is no text in double quotes`);
    }
  }
}

function scaled({ constant, terms }: Value, factor: number): Value {
  const each = [...terms].map(
    ([name, { weight, unit }]) => [name, { weight: weight * factor, unit }] as const,
  );
  return { constant: constant * factor, terms: new Map(each) };
}

function added(left: Value, right: Value): Value {
  const terms = new Map(left.terms);
  for (const [name, { weight, unit }] of right.terms)
    terms.set(name, { weight: weight + (terms.get(name)?.weight ?? 0), unit });
  return { constant: left.constant + right.constant, terms };
}
