/** @file What an atlas keeps for one unit: its frontier, what it breeds from, the natural text that excites it most. */
import { evenly } from '../../core/evenly.js';
import { Frontier, fluencyFront, type Point } from '../../core/frontier.js';
import type { Bred } from '../search/candidate.js';
import { Population } from '../search/population.js';

/** A scored sequence, one object for all units that keep it. */
export interface AtlasText {
  /** `[positions]`, BOS in front. */
  readonly ids: Int32Array;
  /** Nats a token. */
  readonly crossEntropy: number;
  /** What made it: `prior`, `corpus`, `gradient` … */
  readonly source: string;
}

/** What a text is to one unit. */
export class AtlasEntry implements Bred {
  constructor(
    /** Of the atlas. */
    readonly unit: number,
    readonly text: AtlasText,
    readonly peak: number,
    readonly z: number,
    readonly margin: number | null,
    readonly rank: number | null,
  ) {}

  get ids(): Int32Array {
    return this.text.ids;
  }

  get cross_entropy(): number {
    return this.text.crossEntropy;
  }
}

/** How much each unit may keep: less where there are very many. */
export interface Room {
  /** Texts of a frontier. */
  readonly frontier: number;
  /** Cells of a niche. */
  readonly cells: number;
  /** Natural texts. */
  readonly examples: number;
}

/** Entries of all frontiers together: some hundred megabytes. */
const MOST_ENTRIES = 2 ** 21;
/** Beyond so many units there are no niches. */
const MOST_WITH_NICHES = 8192;

export const roomFor = (units: number): Room => ({
  frontier: Math.max(16, Math.floor(MOST_ENTRIES / units)),
  cells: units > MOST_WITH_NICHES ? 0 : 8,
  examples: units > MOST_WITH_NICHES ? 4 : 10,
});

export class UnitArchive {
  private frontier = new Frontier<AtlasEntry>();
  readonly population: Population<AtlasEntry>;
  /** The strongest natural texts, strongest first. */
  readonly examples: AtlasEntry[] = [];

  constructor(private readonly room: Room) {
    this.population = new Population(room.cells);
  }

  /** By rising cross entropy. */
  get members(): AtlasEntry[] {
    return this.frontier.members;
  }

  /** Nats times sigmas. */
  get hypervolume(): number {
    return this.population.strongest.area;
  }

  /** Whether a text of these figures could be of use. @param peakToken - the token at its peak */
  couldTake(point: Point, peakToken: number): boolean {
    const { niches } = this.population;
    return this.frontier.wouldKeep(point) || niches.couldTake({ best: point, worst: point, peakToken });
  }

  /** Takes a text in where it is of use; returns by how much the area of what it breeds from grew. */
  add(entry: AtlasEntry): number {
    if (this.frontier.add(entry) && this.frontier.size > this.room.frontier) this.thin();
    return this.population.add(entry);
  }

  isExample(z: number): boolean {
    const { examples, room } = this;
    return examples.length < room.examples || z > examples.at(-1)!.z;
  }

  addExample(entry: AtlasEntry): void {
    this.examples.push(entry);
    this.examples.sort((a, b) => b.z - a.z);
    this.examples.length = Math.min(this.examples.length, this.room.examples);
  }

  /** Leaves a part of the frontier: half of the room for the strongest at every fluency, the rest for others between. */
  private thin(): void {
    const { members } = this.frontier;
    const half = Math.floor(this.room.frontier / 2);
    const kept = new Set(evenly(fluencyFront(members), half));
    const others = members.filter((member) => !kept.has(member));
    this.frontier = new Frontier();
    for (const member of [...kept, ...evenly(others, Math.floor(half / 2))]) this.frontier.add(member);
  }
}
