/** @file An atlas in its run folder: `atlas/000000.jsonl` with some units each, and `atlas.parquet` with every text. */
import type { SchemaElement } from 'hyparquet';
import { ByteWriter, ParquetWriter } from 'hyparquet-writer';
import type { RunFolder } from '../runs/run-folder.js';
import type { AtlasFound, AtlasUnit } from '../text/atlas/atlas-unit.js';

/** Rows that are written together. */
const ROW_GROUP = 50_000;

const required = (name: string, type: NonNullable<SchemaElement['type']>, more = {}): SchemaElement => ({
  name,
  type,
  repetition_type: 'REQUIRED',
  ...more,
});
const words = { converted_type: 'UTF8' } as const;

/** A list in three levels, as every reader knows it. */
const schema: SchemaElement[] = [
  { name: 'schema', num_children: 8 },
  required('unit', 'BYTE_ARRAY', words),
  required('text', 'BYTE_ARRAY', words),
  { name: 'tokens', repetition_type: 'REQUIRED', num_children: 1, converted_type: 'LIST' },
  { name: 'list', repetition_type: 'REPEATED', num_children: 1 },
  required('element', 'BYTE_ARRAY', words),
  required('nats', 'FLOAT'),
  required('z', 'FLOAT'),
  { name: 'margin', type: 'FLOAT', repetition_type: 'OPTIONAL' },
  { name: 'rank', type: 'INT32', repetition_type: 'OPTIONAL' },
  required('source', 'BYTE_ARRAY', words),
];

type Row = AtlasFound & { readonly unit: string };

/** Every text of every unit as a table: unit, text, tokens, nats, z, margin, rank, source. */
export class AtlasTable {
  private readonly writer = new ByteWriter();
  private readonly parquet: ParquetWriter;
  private rows: Row[] = [];

  constructor() {
    this.parquet = new ParquetWriter({ writer: this.writer, schema });
  }

  add({ unit, frontier }: Pick<AtlasUnit, 'unit' | 'frontier'>): void {
    for (const text of frontier) this.rows.push({ ...text, unit });
    if (this.rows.length >= ROW_GROUP) this.flush();
  }

  /** The file. Nothing can be added any more. */
  finish(): Uint8Array {
    this.flush();
    this.parquet.finish();
    return this.writer.getBytes();
  }

  private flush(): void {
    const { rows } = this;
    if (rows.length === 0) return;
    const column = (name: string, of: (row: Row) => unknown) => ({ name, data: rows.map(of) });
    this.parquet.write({
      columnData: [
        column('unit', ({ unit }) => unit),
        column('text', ({ text }) => text),
        column('tokens', ({ tokens }) => tokens),
        column('nats', ({ cross_entropy }) => cross_entropy),
        column('z', ({ z }) => z),
        column('margin', ({ margin }) => margin),
        column('rank', ({ rank }) => rank),
        column('source', ({ source }) => source),
      ],
      rowGroupSize: ROW_GROUP,
    });
    this.rows = [];
  }
}

/** Writes units to a run folder as they come, and the table at the end. */
export class AtlasFiles {
  private readonly table = new AtlasTable();
  private written = 0;

  constructor(private readonly folder: RunFolder) {}

  /** Some units, in their order. */
  add(units: readonly AtlasUnit[]): void {
    for (const unit of units) this.table.add(unit);
    const lines = units.map((unit) => `${JSON.stringify(unit)}\n`).join('');
    this.folder.writeFile(`atlas/${String(this.written).padStart(6, '0')}.jsonl`, lines);
    this.written += units.length;
  }

  finish(): void {
    this.folder.writeFile('atlas.parquet', this.table.finish());
  }
}
