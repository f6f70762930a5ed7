/** @file `superstim score` as a library function: what a text does to units, position by position. */
import type { FrameReport } from '../core/frame-report.js';
import { eventClock, type Run } from '../runs/events.js';
import type { KeptScorers } from './kept-scorers.js';
import { encodeText, forText } from './lm/encode-text.js';
import { frameOf } from './lm/frame.js';
import { tailOf } from './lm/spec.js';
import { openSubject } from './lm/subject.js';
import { ablationDivergence } from './readouts/ablation.js';
import { publishedOf } from './readouts/published.js';
import { openScorer, resolvedUnits, type ScoreRequest, type UnitScore } from './scorer.js';

export interface ScoreResult {
  model: string;
  /** What the text stands in. */
  frame: FrameReport;
  /** As each token continues the text; first the last before it (BOS, mostly), last those that are read behind it. */
  tokens: string[];
  token_ids: number[];
  /** ln p(token | tokens before), nats; null for what is not the text's. */
  logprobs: (number | null)[];
  /** Nats a token of the text. */
  cross_entropy: number;
  units: UnitScore[];
}

export interface ScoreOptions extends ScoreRequest {
  readonly text: string;
  /** Other scores of the model use them too. */
  readonly scorers?: KeptScorers;
}

const APART =
  'the text and what stands around it are tokenized apart; as one text they would have other tokens where they meet';

/** Finds out what is wrong with a request before anything is computed; throws what `scoreText` does. */
export function checkScore(options: ScoreOptions): void {
  encodeText(openSubject(forText(options.model, options.text), options.engine), options.text);
  resolvedUnits(options);
}

/**
 * Scores one text for units, each against its own reference class.
 *
 * @throws UsageError for an empty text, one longer than the context, or units the model lacks
 */
export async function* scoreText(options: ScoreOptions): Run<ScoreResult> {
  const { model, text, ablate = false, scorers } = options;
  const subject = openSubject(forText(model, text), options.engine);
  const event = eventClock();
  const ids = encodeText(subject, text);
  const resolved = resolvedUnits(options);
  yield event({ kind: 'started', task: 'score', unit: options.units.join(' '), method: null });
  if (!model.tokenizer.standsAlone(ids)) yield event({ kind: 'warning', message: APART });
  const key = scorers?.keyOf(subject, options) ?? '';
  const scorer = scorers?.take(key) ?? (yield* openScorer(options, subject, resolved, event));
  const { calibration } = scorer;
  try {
    const { logProbs, units } = await scorer.read(ids);
    for (const [i, { objective }] of resolved.entries()) {
      const score = units[i]!;
      for await (const calibrated of calibration?.report(objective) ?? []) {
        yield event(calibrated);
        const { kind: _, cached: __, ...from } = calibrated;
        score.calibration.push(from);
      }
      if (ablate && calibration)
        score.ablation = Array.from(await ablationDivergence({ subject, objective, calibration }, ids));
      const published = await publishedOf(openSubject(model, options.engine), objective, options.published);
      if (published) score.published = published;
    }
    yield* (calibration?.takeWarnings() ?? []).map(event);
    const tail = tailOf(subject.spec);
    const read = [...ids, ...tail];
    return {
      model: model.name,
      frame: frameOf(model),
      tokens: read.map((id) => model.tokenizer.tokenString(id)),
      token_ids: read,
      logprobs: [null, ...logProbs, ...tail.map(() => null)],
      cross_entropy: -logProbs.reduce((sum, value) => sum + value, 0) / logProbs.length,
      units: [...units],
    };
  } finally {
    await (scorers?.put(key, scorer) ?? scorer.dispose());
  }
}
