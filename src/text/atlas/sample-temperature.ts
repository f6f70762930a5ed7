/** @file How warm an atlas samples: as likely texts as there are, few of which it has drawn before. */

/** Colder samples go in circles, warmer ones are hardly text. */
const LEAST = 0.5;
const MOST = 2;
/** What a repeat and a new text change: in balance where a third of the samples are repeats. */
const REPEATED = 0.016;
const NEW = -REPEATED / 2;

/**
 * The temperature of the next samples. Likelier texts have more room below the corner of the hypervolume, but a model that is sure
 * of how texts go writes the same ones again and again; which of the two counts only the model's samples say.
 */
export class SampleTemperature {
  private log = 0;

  get value(): number {
    return Math.exp(this.log);
  }

  /** Takes in whether a sample was new. */
  learn(isNew: boolean): void {
    const log = this.log + (isNew ? NEW : REPEATED);
    this.log = Math.min(Math.log(MOST), Math.max(Math.log(LEAST), log));
  }
}
