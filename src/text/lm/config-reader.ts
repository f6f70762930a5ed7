/** @file Typed access to a model's config.json. */
import { UserError } from '../../core/errors.js';

/** Reads keys of one JSON object; null counts as absent. Every complaint names the file and the key. */
export class ConfigReader {
  constructor(
    private readonly json: Readonly<Record<string, unknown>>,
    /** The file, as complaints call it. */
    readonly where: string,
  ) {}

  has(key: string): boolean {
    return this.value(key) !== undefined;
  }

  /** A whole number above zero. */
  count(key: string, fallback?: number): number {
    const value = this.number(key, fallback);
    if (!Number.isInteger(value) || value <= 0) throw this.wrong(key, 'a whole number above 0');
    return value;
  }

  number(key: string, fallback?: number): number {
    const value = this.value(key) ?? fallback;
    if (typeof value !== 'number' || !Number.isFinite(value)) throw this.wrong(key, 'a number');
    return value;
  }

  flag(key: string, fallback: boolean): boolean {
    const value = this.value(key) ?? fallback;
    if (typeof value !== 'boolean') throw this.wrong(key, 'true or false');
    return value;
  }

  text(key: string, fallback?: string): string {
    const value = this.value(key) ?? fallback;
    if (typeof value !== 'string') throw this.wrong(key, 'a string');
    return value;
  }

  list(key: string): readonly unknown[] | undefined {
    const value = this.value(key);
    if (value !== undefined && !Array.isArray(value)) throw this.wrong(key, 'a list');
    return value;
  }

  /** Token ids: one number, a list, or none. */
  ids(key: string): number[] {
    const value = this.value(key) ?? [];
    const list: unknown[] = Array.isArray(value) ? value : [value];
    if (!list.every((id): id is number => Number.isInteger(id))) throw this.wrong(key, 'a token id');
    return list;
  }

  object(key: string): ConfigReader | undefined {
    const value = this.value(key);
    if (value === undefined) return undefined;
    if (typeof value !== 'object' || value === null || Array.isArray(value))
      throw this.wrong(key, 'an object');
    return new ConfigReader(value as Record<string, unknown>, `"${key}" in ${this.where}`);
  }

  unsupported(what: string): UserError {
    return new UserError(`${this.where} asks for ${what}`);
  }

  private wrong(key: string, wanted: string): UserError {
    const value = this.value(key);
    return new UserError(
      value === undefined
        ? `${this.where} has no "${key}"`
        : `${this.where} has ${JSON.stringify(value)} as "${key}", which must be ${wanted}`,
    );
  }

  private value(key: string): unknown {
    return Object.hasOwn(this.json, key) ? (this.json[key] ?? undefined) : undefined;
  }
}
