import type { WeightSource } from '../../engine/weights.js';
import { UserError } from '../../errors.js';
import type { VisionNetwork } from '../network.js';
export interface GraphModelTopology {
  readonly node?: unknown;
}
export function graphModelNetwork(_t: GraphModelTopology, _w: WeightSource, _n: string): VisionNetwork {
  throw new UserError('later');
}
