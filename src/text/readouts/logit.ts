/** @file Logits of the next token. */
import { UsageError } from '../../core/errors.js';
import type { UnitForm } from '../../core/unit-form.js';
import type * as tf from '../../engine/functions/tfjs.js';
import type { TransformerSpec } from '../lm/spec.js';
import { unembedToken } from '../lm/unembed.js';
import type { Kind } from './kind.js';
import type { PassContext, Readout, ReadoutGroup } from './readout.js';

export interface LogitUnit {
  readonly kind: 'logit';
  /** The token's text, as it continues a text: ` Paris` with its space. */
  readonly token: string;
}

const form: UnitForm<LogitUnit> = {
  example: '"logit: Paris" (a next token)',
  parse: [[/^logit:(.+)$/s, ([token]) => ({ kind: 'logit', token: token! })]],
  format: ({ token }) => `logit:${token}`,
};

/** A logit is a group of its own: all of them would be a product with the whole vocabulary. */
export class LogitGroup implements ReadoutGroup {
  readonly size = 1;

  constructor(
    private readonly spec: TransformerSpec,
    private readonly name: string,
    private readonly token: number,
  ) {}

  get key(): string {
    return `logit ${this.token}`;
  }

  get depth(): number {
    return this.spec.layers;
  }

  unit(index: number): Readout {
    return { name: this.name, group: this, index };
  }

  read({ spec, weights, pass }: PassContext): tf.Tensor {
    return unembedToken(spec, weights, pass.at('ln_final.hook_normalized'), this.token);
  }
}

const logitKind: Kind<LogitUnit> = {
  form,
  range: () => '"logit: token"',
  check: () => {},
  groups: () => [],
  others: () => ['logit: the'],
  open(unit, { spec, tokenId }) {
    const token = tokenId(unit.token);
    if (token === null)
      throw new UsageError(
        `"${unit.token}" is not one token of this model; a logit unit names a single token, with its leading space${/ [+-] /.test(unit.token) ? ', and stands in double quotes in a sum' : ''}`,
      );
    return new LogitGroup(spec, form.format(unit), token).unit(0);
  },
};

/** Kinds that read the next token. */
export const outputKinds = { logit: logitKind };
