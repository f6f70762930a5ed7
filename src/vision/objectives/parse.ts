/**
 * @file From `0.5*mixed3:1 - mixed3:5 - 0.1*tv` to an expression.
 *
 *     sum     = product (("+" | "-") product)*
 *     product = factor ("*" factor)*
 *     factor  = "-" factor | number | "(" sum ")" | term
 *     term    = layer ":" channel ["@" row "," column | "@cls"] | "logit:" class | "tv" | "l1" | "l2"
 *             | "neuron(" layer ":" channel ")" | "deepdream(" layer ")" | "diversity(" layer ")"
 *             | "direction(" layer "," file "#" name ")"
 *     layer   = a name without spaces or any of : @ * + ( ) , " #, or any name in double quotes (\" and \\ in it)
 */
import { ExpressionText } from '../../core/expression-text.js';
import { type ChannelUnit, channelPosition } from '../channel-unit.js';
import { bareLayer, quotedLayer, unquoted } from '../layer-name.js';
import { type Expression, type PenaltyName, penaltyNames } from './expression.js';

/**
 * The expression that a text means. Layers and channels are the network's business (`resolveObjective`).
 *
 * @throws UsageError that says where the text stops making sense
 */
export function parseExpression(text: string): Expression {
  const parser = new Parser(text);
  const expression = parser.sum();
  parser.end();
  return expression;
}

const forms = 'layer:4, layer:4@7,7, neuron(layer:4), deepdream(layer), logit:207, tv or a sum of those';

const layerName = `"(${quotedLayer})"|(${bareLayer})`;

/** What `layerName` has found. */
const nameOf = ([, quoted, bare]: RegExpExecArray): string =>
  quoted === undefined ? bare! : unquoted(quoted);

class Parser extends ExpressionText {
  sum(): Expression {
    let left = this.product();
    for (;;) {
      const sign = this.match(/[+-]/y);
      if (!sign) return left;
      left = { kind: sign[0] === '+' ? 'add' : 'subtract', left, right: this.product() };
    }
  }

  private product(): Expression {
    let left = this.factor();
    while (this.match(/\*/y)) left = { kind: 'multiply', left, right: this.factor() };
    return left;
  }

  private factor(): Expression {
    if (this.match(/-/y)) return { kind: 'negative', of: this.factor() };
    if (this.match(/\(/y)) return this.closing(this.sum());
    const term = this.term();
    if (term) return term;
    const number = this.match(/\d+(?:\.\d+)?(?:e[+-]?\d+)?(?![\w:.])/iy);
    if (number) return { kind: 'number', value: Number(number[0]) };
    return this.fail(`wanted is ${forms}`);
  }

  private term(): Expression | null {
    const call = this.match(/(neuron|deepdream|diversity|direction)\s*\(/y)?.[1];
    if (call) return this.closing(this.call(call));
    const logit = this.match(/logit:\s*(\d{1,9})(?![\w.])/y);
    if (logit) return { kind: 'logit', index: Number(logit[1]) };
    const penalty = penaltyNames.find((name) => this.match(new RegExp(`${name}(?![\\w:.])`, 'y')));
    if (penalty) return { kind: 'penalty', name: penalty satisfies PenaltyName };
    const unit = this.unit();
    return unit && { kind: 'unit', unit };
  }

  private call(name: string): Expression {
    if (name === 'neuron') {
      const unit = this.unit() ?? this.fail('wanted is neuron(layer:4)');
      return { kind: 'neuron', unit };
    }
    const layer = this.layer() ?? this.fail(`${name}() wants the name of a layer`);
    if (name === 'deepdream') return { kind: 'deepdream', layer };
    if (name === 'diversity') return { kind: 'diversity', layer };
    const source = this.match(/,\s*([^)]+)#([^)#]+)/y);
    if (!source) return this.fail('wanted is direction(layer, file.safetensors#name)');
    return { kind: 'direction', layer, file: source[1]!, name: source[2]! };
  }

  private unit(): ChannelUnit | null {
    const found = this.match(
      new RegExp(`(?:${layerName}):(\\d{1,9})(@(?:(\\d{1,9}),(\\d{1,9})|cls))?(?![\\w.@])`, 'y'),
    );
    if (!found) return null;
    const [, , , channel, at, row, column] = found;
    const position = channelPosition(at, row, column);
    return { kind: 'channel', layer: nameOf(found), channel: Number(channel), position };
  }

  private layer(): string | null {
    const found = this.match(new RegExp(layerName, 'y'));
    return found && nameOf(found);
  }

  private closing(expression: Expression): Expression {
    if (!this.match(/\)/y)) this.fail('a ")" is missing');
    return expression;
  }
}
