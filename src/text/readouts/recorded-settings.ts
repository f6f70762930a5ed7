/** @file What `run.json` says of how a unit is measured. */
import type { EngineName } from '../../engine/compile.js';
import type { JsonValue } from '../../runs/events.js';
import type { HeadMeasure, SequenceScore } from '../names.js';

export interface RecordedProbe {
  readonly reference: string;
  /** `toward` a token is spelled out. */
  readonly measure: HeadMeasure | { readonly toward: string };
  readonly at: SequenceScore;
  readonly engine: EngineName;
  /** File that z was calibrated on; null = samples of the model. */
  readonly corpus: string | null;
}

/** Reads `settings` of a run of `text` or `tune`; what is not there is what it is by default. */
export function recordedProbe(settings: { readonly [name: string]: JsonValue }): RecordedProbe {
  const word = (name: string) => (typeof settings[name] === 'string' ? settings[name] : null);
  const { measure } = settings;
  const toward = typeof measure === 'object' && !Array.isArray(measure) ? measure?.toward : null;
  return {
    reference: word('reference') ?? 'layer',
    measure: typeof toward === 'string' ? { toward } : ((word('measure') ?? 'delta') as HeadMeasure),
    at: (word('at') ?? 'max') as SequenceScore,
    engine: (word('engine') ?? 'onnx') as EngineName,
    corpus: word('corpus') ?? word('calibrateOn'),
  };
}
