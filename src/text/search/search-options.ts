/** @file What is asked of a search. */
import type { WeightSource } from '../../engine/weights/weights.js';
import type { Saving } from '../../runs/checkpoints.js';
import type { CorpusFile } from '../corpus/corpus-text.js';
import type { FluencyModel } from '../fluency/fluency-model.js';
import type { SearchMethodName } from '../names.js';
import type { Session } from '../readouts/session.js';
import type { SearchCheckpoint } from './checkpoint.js';
import type { Budget, Earlier } from './drive.js';
import type { Shortcuts } from './shortcuts.js';

export interface SearchOptions extends Session {
  readonly unit: string;
  readonly method: SearchMethodName;
  /** Tokens after BOS. */
  readonly length: number;
  readonly budget: Budget;
  /** Texts that the unit should be quieter on than on what is found. */
  readonly quietOn?: readonly string[];
  /** How much the softmax-weighted rivals count in what methods maximize (J); default: 0. */
  readonly gamma?: number;
  /** The one weight of the cross entropy (J) for `soft` and `sample`, which else spread over many. */
  readonly lambda?: number;
  /** The user's own text: what the method `corpus` reads; for other methods, a baseline at equal cost. */
  readonly naturalText?: readonly CorpusFile[];
  /** The model whose probability counts as fluency; default: the subject. */
  readonly fluency?: FluencyModel;
  /** Weights tuned for the unit: `sample` draws from them, weighted so that what it samples stays the same. */
  readonly policy?: WeightSource;
  /** What saves work in breeding and in EPO; default: what is worth it for the model. */
  readonly shortcuts?: Shortcuts;
  /** Samples of the prior at equal cost beside the search; default: yes. */
  readonly baseline?: boolean;
  /** Texts of the frontier that are explained; default: 8. */
  readonly finalists?: number;
  /** What an earlier part of the same search found and spent. */
  readonly earlier?: Earlier;
  /** Gets a checkpoint now and then. */
  readonly saving?: Saving<SearchCheckpoint>;
}
