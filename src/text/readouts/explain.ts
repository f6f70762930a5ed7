/**
 * @file Why a text excites a unit: the evidence beside a candidate (`Explanation`), fast enough to follow an edit.
 */

import type { Explanation, TokenValue } from '../../core/explanation.js';
import type { FrameReport } from '../../core/frame-report.js';
import { OnDemand } from '../../core/on-demand.js';
import type { Compiled } from '../../engine/compile.js';
import { eventClock, type Run } from '../../runs/events.js';
import { encodeText } from '../lm/encode-text.js';
import { frameOf } from '../lm/frame.js';
import { padRows } from '../lm/rows.js';
import { tailOf, withoutTail } from '../lm/spec.js';
import { openSubject, type TextSubject } from '../lm/subject.js';
import { textBounds, textDefaults } from '../names.js';
import { canAblate, compileAblation } from './ablation.js';
import { compileReading, compileVariants, type EvidenceOptions } from './evidence.js';
import { soleReadout } from './objective.js';
import { Probe } from './probe.js';
import { countedPositions } from './sequence-score.js';
import { calibrate, effectGroups, groupsOf, resolveUnits, type Session } from './session.js';
import { readLogits } from './written-logits.js';

export interface ExplainOptions {
  /** Replacements tried a position, default: `textDefaults`; 0 leaves substitutions out. */
  readonly replacements?: number;
  /** Also measure what the predictions lose without the unit; not of latents, directions and logits. */
  readonly ablate?: boolean;
}

export const RIVALS_REPORTED = 12;
/** Variants of a text that are read together. */
const VARIANTS = 32;

/** Explains texts for one unit. Its graphs are kept, so a text that was edited is explained in milliseconds. */
export class Explainer {
  private readonly programs = new OnDemand<string, Compiled>();

  private constructor(
    private readonly subject: TextSubject,
    private readonly probe: Probe,
    private readonly evidence: EvidenceOptions,
  ) {}

  /** @param probe - stays the caller's: it is not disposed with the explainer */
  static async create(subject: TextSubject, probe: Probe): Promise<Explainer> {
    const { objective, calibration } = probe.options;
    const sole = soleReadout(objective);
    const of = sole?.group.effect;
    const effect = of ? { of, index: sole.index, usual: await calibration.statistics(of.usual) } : null;
    const usable = subject.spec.vocab - subject.excluded().length;
    // As many as can be asked for, and the token itself.
    const proposals = Math.max(1, Math.min(textBounds.replacements.max + 1, usable));
    return new Explainer(subject, probe, { probe, effect, proposals });
  }

  /** @throws UsageError for an empty text, or one longer than the context */
  explain(text: string, options: ExplainOptions = {}): Promise<Explanation> {
    return this.explainTokens(encodeText(this.subject, text), options);
  }

  /** @param text - one sequence, BOS in front */
  async explainTokens(
    text: Int32Array,
    { replacements = textDefaults.replacements, ablate = false }: ExplainOptions = {},
  ): Promise<Explanation> {
    const { objective, at } = this.probe.options;
    const { tokenizer, spec } = this.subject;
    const ids = Int32Array.of(...text, ...tailOf(spec));
    const length = ids.length;
    const capacity = this.capacityFor(length);
    const padded = padTo(ids, capacity);
    const counted = countedPositions(at, length, capacity);
    const program = await this.programs.get(`reading ${capacity}`, () =>
      compileReading(this.evidence, capacity),
    );
    const read = await program.run({
      ids: padded,
      counted,
      present: countedPositions('max', length, capacity),
    });

    const part = (name: string, count = length) => Array.from(read[name]!.subarray(0, count));
    const raw = part('raw');
    const z = part('z');
    const position = z.reduce((best, value, i) => (i > 0 && value > z[best]! ? i : best), 1);
    const logProbs = part('logProbs', text.length - 1);
    const rivals = this.rivals(read);
    const score = read.score![0]!;
    return {
      unit: objective.name,
      text: tokenizer.decode(text),
      tokens: Array.from(ids, (id) => tokenizer.tokenString(id)),
      token_ids: Array.from(ids),
      logprobs: [null, ...logProbs, ...tailOf(spec).map(() => null)],
      raw,
      z: [null, ...z.slice(1)],
      peak: { position, raw: raw[position]!, z: z[position]! },
      score,
      cross_entropy: -logProbs.reduce((sum, value) => sum + value, 0) / logProbs.length,
      margin: rivals.length === 0 ? null : score - rivals[0]!.z,
      rank: rivals.length === 0 ? null : 1 + rivals.filter((rival) => rival.z > score).length,
      rivals: rivals.slice(0, RIVALS_REPORTED),
      attention: read.attention ? { weight: part('attention'), contribution: part('contribution') } : null,
      logits: readLogits(read, tokenizer),
      substitutions: await this.substitutions(
        padded,
        { text: text.length, whole: length },
        counted,
        read.proposed as Int32Array,
        replacements,
      ),
      ablation: ablate && canAblate(objective) ? await this.ablation(padded, length) : null,
    };
  }

  async dispose(): Promise<void> {
    await this.programs.dispose();
  }

  /** Positions computed for a text of `length`: one of few (16, 24, 32, 48, 64 …), so that graphs are used again. */
  private capacityFor(length: number): number {
    const power = 2 ** Math.max(4, Math.ceil(Math.log2(length)));
    const between = power * 0.75;
    const { spec } = this.subject;
    const most = spec.context + tailOf(spec).length;
    return Math.min(most, power > 16 && length <= between ? between : power);
  }

  /** The whole reference class, strongest first. */
  private rivals(read: Record<string, ArrayLike<number>>): { unit: string; z: number }[] {
    const { parts } = this.probe.options.reference;
    return parts
      .flatMap(({ indices, names }, part) =>
        indices.map((index, i) => ({ unit: names[i]!, z: read[`rivals${part}`]![index]! })),
      )
      .sort((a, b) => b.z - a.z);
  }

  private async substitutions(
    padded: Int32Array,
    length: Record<'text' | 'whole', number>,
    counted: Float32Array,
    proposed: Int32Array,
    replacements: number,
  ): Promise<TokenValue[][]> {
    const { proposals } = this.evidence;
    const tried = Array.from({ length: length.whole }, (_, position) => {
      if (position === 0 || position >= length.text) return [];
      const listed = Array.from(proposed.subarray((position - 1) * proposals, position * proposals));
      return listed.filter((id) => id !== padded[position]).slice(0, replacements);
    });
    const variants = tried.flatMap((ids, position) => ids.map((id) => padded.with(position, id)));
    const z = await this.scoreVariants(variants, counted);
    let next = 0;
    return tried.map((ids) =>
      ids.map((id) => ({ token: this.subject.tokenizer.tokenString(id), value: z[next++]! })),
    );
  }

  private async scoreVariants(variants: readonly Int32Array[], counted: Float32Array): Promise<number[]> {
    const capacity = counted.length;
    const z: number[] = [];
    for (let start = 0; start < variants.length; start += VARIANTS) {
      const part = variants.slice(start, start + VARIANTS);
      const rows = new Int32Array(part.length * capacity);
      for (const [row, ids] of part.entries()) rows.set(ids, row * capacity);
      const program = await this.programs.get(`variants ${capacity}`, () =>
        compileVariants(this.probe, VARIANTS, capacity),
      );
      const { score } = await program.run({ ids: padRows(rows, VARIANTS, capacity), counted });
      z.push(...score!.subarray(0, part.length));
    }
    return z;
  }

  private async ablation(padded: Int32Array, length: number): Promise<number[]> {
    const subject = { ...this.subject, spec: withoutTail(this.subject.spec) };
    const program = await this.programs.get(`ablation ${padded.length}`, () =>
      compileAblation({ ...this.probe.options, subject }, padded.length),
    );
    const { divergence } = await program.run({ ids: padded });
    return Array.from(divergence!.subarray(0, length));
  }
}

/** An explainer that brought its own probe. */
export interface OpenExplainer {
  readonly explainer: Explainer;
  /** Frees the explainer and the probe. */
  dispose(): Promise<void>;
}

/**
 * Prepares to explain texts for a unit by its name, reporting how far calibration is.
 *
 * @throws UsageError for a unit or a reference class that the model lacks
 */
export async function* openExplainer(
  options: Session & { readonly unit: string },
  event = eventClock(),
): Run<OpenExplainer> {
  const { model, at, engine } = options;
  const plan = resolveUnits(options.unit, options);
  const { objective, reference } = plan;
  const groups = [...groupsOf(plan), ...effectGroups(plan)];
  const calibration = yield* calibrate({ ...options, groups }, event);
  const subject = openSubject(model, engine);
  const probe = await Probe.create({ subject, objective, reference, calibration, at });
  yield* calibration.takeWarnings().map(event);
  const explainer = await Explainer.create(subject, probe);
  return {
    explainer,
    dispose: async () => {
      await explainer.dispose();
      await probe.dispose();
    },
  };
}

/** An explanation, and what its text stands in. */
export interface ExplainResult extends Explanation {
  frame: FrameReport;
}

/** Explains one text for a unit by its name. Throws what `openExplainer` and `Explainer.explain` do. */
export async function* explainText({
  text,
  ...options
}: Session & ExplainOptions & { readonly unit: string; readonly text: string }): Run<ExplainResult> {
  const event = eventClock();
  yield event({ kind: 'started', task: 'explain', unit: options.unit, method: null });
  const opened = yield* openExplainer(options, event);
  try {
    const explanation = await opened.explainer.explain(text, options);
    yield event({ kind: 'explained', explanation });
    return { ...explanation, frame: frameOf(options.model) };
  } finally {
    await opened.dispose();
  }
}

/** What stands behind a text is never looked at; its own last token is as good as any. */
function padTo(ids: Int32Array, capacity: number): Int32Array {
  const padded = new Int32Array(capacity).fill(ids.at(-1)!);
  padded.set(ids);
  return padded;
}
