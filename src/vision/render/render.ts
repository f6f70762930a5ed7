/**
 * @file Rendering: pictures that excite units, by gradient ascent through random transforms.
 *
 * Units are taken in batches that fit into memory; a batch grows through its octaves, and every step is reported.
 */

import { field } from '../../core/field.js';
import { Random } from '../../core/random.js';
import { untilStopped } from '../../core/until-stopped.js';
import { warmUp } from '../../engine/backends/worker-client.js';
import { eventClock, type JsonValue, type Run } from '../../runs/events.js';
import { fitInput } from '../input-fit.js';
import { imageDefaults } from '../names.js';
import { type Expression, formatExpression, termsOf } from '../objectives/expression.js';
import { resolveObjective } from '../objectives/objective.js';
import type { PictureSize } from '../picture-size.js';
import { checkInput } from '../planes.js';
import { Batch } from './batch.js';
import { checkPositions, checkSize, defaultSize } from './fitting-size.js';
import type { RenderOptions, RenderResult, UnitResult } from './render-options.js';
import { soundUnits } from './sound-units.js';

/** Pixels of a batch: what fits into memory beside the activations of a large network. */
const PIXELS_AT_ONCE = 2 ** 18;

/**
 * Renders a picture for each unit.
 *
 * @yields `started`, `warning` (input range, silent units, units that weights with NaN spoil), `frame`, `step` (mean activation), `progress`
 * @throws UsageError for what the network does not have, UserError for a picture too small for it, or of proportions that it cannot read
 */
export async function* renderUnits(options: RenderOptions): Run<RenderResult> {
  const { steps = imageDefaults.steps, variants = imageDefaults.variants, signal, seed = 0, from } = options;
  // The engine's thread starts while the weights are looked at.
  if ((options.engine ?? 'onnx') === 'onnx') warmUp();
  const event = eventClock(options.clock);
  const began = performance.now();
  const { network, units, spoilt } = soundUnits(options.network, options.units);
  const rows = units.flatMap((unit) => new Array<Expression>(variants).fill(unit));
  const objective = resolveObjective(network, rows);
  const labels = rows.map((row, i) => label(row, variants, i));
  const size = bothSides(options.size) ?? defaultSize(network);
  checkSize(network, objective.terms, size);
  checkPositions(network, objective.terms, size);
  if (options.input) checkInput(network.input.channels, options.input, network.name);
  yield event({
    kind: 'started',
    task: 'image',
    unit: units.map(formatExpression).join(', '),
    method: options.parameterization ?? imageDefaults.parameterization,
  });
  for (const message of spoilt) yield event({ kind: 'warning', message });
  const given = options.preprocessing ?? network.input.preprocessing;
  const fit = await fitInput(network, given, {
    // What a known network was trained on is known; what the user says or nobody says is worth the time.
    byScores: options.preprocessing !== undefined || given === null || network.input.isGuess === true,
    ...(options.engine && { engine: options.engine }),
    ...(options.input && { input: options.input }),
  });
  if (fit.warning) yield event({ kind: 'warning', message: fit.warning });

  // Variants of one unit stay together: they may have to differ.
  const together = Math.max(1, Math.floor(PIXELS_AT_ONCE / (size.width * size.height) / variants)) * variants;
  const results: UnitResult[] = [...(from?.results ?? [])];
  let done = from?.done ?? 0;
  const resumedAt = done;
  const total = steps * Math.ceil(rows.length / together);
  for (let first = results.length; first < rows.length && !signal?.aborted; first += together) {
    const last = Math.min(rows.length, first + together);
    const batch = new Batch(
      { ...options, network, preprocessing: fit.preprocessing },
      { ...objective, rows: rows.slice(first, last) },
      labels.slice(first, last),
      size,
      Random.of(seed, `render ${first}`),
      first === from?.results.length ? from.batch : undefined,
    );
    const run = batch.run((state) => options.saveState?.({ done, results, batch: state }));
    for await (const body of untilStopped(run, signal)) {
      if (body.kind === 'step') {
        const rate = ((++done - resumedAt) / (performance.now() - began)) * 1000;
        yield event({
          kind: 'progress',
          source: 'search',
          budget: 'steps',
          done,
          total,
          rate,
          rate_unit: 'steps',
          seconds_left: (total - done) / rate,
        });
      }
      yield event(body);
    }
    if (batch.hasEnded) results.push(...batch.results());
  }
  if (results.length === 0) signal?.throwIfAborted();
  const stalled = results.filter((result, i) => isStalled(result, rows[i]!, options.start));
  for (const message of [...results.flatMap(faults), ...stalled.map(stall)])
    yield event({ kind: 'warning', message });
  const interrupted = signal?.aborted ?? false;
  const cost = { seconds: (performance.now() - began) / 1000, steps: done };
  const summary: JsonValue = {
    cost,
    units: results.map(({ unit, dead, activation: { start, final } }) => ({ unit, dead, start, final })),
  };
  yield event({ kind: 'finished', reason: interrupted ? 'interrupted' : 'done', result: summary });
  return { units: results, stalled: stalled.map(({ unit }) => unit), interrupted, cost };
}

const bothSides = (size: number | PictureSize | undefined): PictureSize | undefined =>
  typeof size === 'number' ? { width: size, height: size } : size;

/** Fewer steps prove nothing. */
const ENOUGH_STEPS = 16;
/** Share of the activation that a rise must have. */
const LEAST_RISE = 0.02;

/** Whether steps enough have done nothing for the unit, of which penalties may be the reason. */
function isStalled(
  { dead, activation: { start, final, curve } }: UnitResult,
  row: Expression,
  from: RenderOptions['start'],
): boolean {
  // A photograph may excite the unit as much as anything can.
  if (typeof from === 'object' || dead || curve.length < ENOUGH_STEPS || !Number.isFinite(final))
    return false;
  const penalized = termsOf(row).some(({ kind }) => kind === 'penalty' || kind === 'diversity');
  return !penalized && final - start <= LEAST_RISE * Math.max(Math.abs(start), Math.abs(final));
}

function stall({ unit, activation: { start, final, curve } }: UnitResult): string {
  const did = final < start ? 'sank' : 'hardly moved';
  const ends = [start, final].map((value) => Number(value.toPrecision(4))).join(' to ');
  return `${unit} ${did}, from ${ends} in ${curve.length} steps: the range of the pictures may be wrong (${field('range')}), or try more steps or another rate`;
}

/** What is said of a unit that is silent, or overflows. */
function faults({ unit, dead, activation: { final, curve } }: UnitResult): string[] {
  if (!Number.isFinite(final))
    return [`the activation of ${unit} became ${final}: the network overflows; try a smaller rate`];
  return dead ? [silent([unit], curve.length)] : [];
}

/** What is said of units that nothing has moved: that is no proof that nothing can. */
export function silent(units: readonly string[], steps: number): string {
  const are = units.length === 1 ? 'is' : 'are';
  return `${units.join(', ')} ${are} silent in all ${steps} steps: try more steps or a larger rate`;
}

function label(row: Expression, variants: number, i: number): string {
  const name = formatExpression(row);
  return variants === 1 ? name : `${name} (${(i % variants) + 1})`;
}
