/** @file Samplers that outlive the searches of one model: graphs that draw from it are the same for all units. */
import { ownerOf, type WeightSource } from '../../engine/weights/weights.js';
import { Sampler, type SamplerOptions } from './sampler.js';

/** For texts of so many lengths. */
const MOST = 4;

/** Of one that reads nothing of a unit. */
type SamplerShape = Pick<SamplerOptions, 'subject' | 'positions' | 'batch' | 'parents'>;

export class KeptSamplers {
  /** The latest used last. */
  private readonly kept = new Map<string, Promise<Sampler>>();
  private owner: WeightSource | null = null;

  /** The sampler of some options, which the caller does not dispose of. All must be of the same weights. */
  get(options: SamplerShape): Promise<Sampler> {
    const { subject, positions, batch, parents } = options;
    this.owner ??= ownerOf(subject.weights);
    if (ownerOf(subject.weights) !== this.owner) throw new Error('samplers are kept for other weights');
    const key = JSON.stringify([
      positions,
      batch,
      parents,
      subject.engine,
      subject.start,
      subject.special,
      subject.spec,
    ]);
    const sampler = this.kept.get(key) ?? Sampler.create(options);
    this.kept.delete(key);
    this.kept.set(key, sampler);
    // One that could not be made is tried again.
    sampler.catch(() => this.kept.delete(key));
    for (const [oldest, one] of this.kept) {
      if (this.kept.size <= MOST) break;
      this.kept.delete(oldest);
      dispose(one);
    }
    return sampler;
  }

  dispose(): void {
    for (const sampler of this.kept.values()) dispose(sampler);
    this.kept.clear();
  }
}

const dispose = (sampler: Promise<Sampler>) =>
  void sampler.then(
    (made) => made.dispose(),
    () => undefined,
  );
