/** @file Samplers that outlive the searches of one model: their graphs are the same for all units. */
import { ownerOf, type WeightSource } from '../../engine/weights/weights.js';
import { Sampler, type SamplerOptions } from './sampler.js';

/** A search has two at most. */
const MOST = 4;

/** What of a sampler's options matters, but for the weights. */
type Shape = Omit<SamplerOptions, 'changing' | 'signal'>;

export class KeptSamplers {
  /** The latest used last. */
  private readonly kept = new Map<string, Promise<Sampler>>();
  private owner: WeightSource | null = null;

  /** The sampler of some options, which the caller does not dispose of. All must be of the same weights. */
  get(options: Shape): Promise<Sampler> {
    const { subject, ...shape } = options;
    this.owner ??= ownerOf(subject.weights);
    if (ownerOf(subject.weights) !== this.owner) throw new Error('samplers are kept for other weights');
    const key = JSON.stringify([shape, subject.engine, subject.start, subject.special, subject.spec]);
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
