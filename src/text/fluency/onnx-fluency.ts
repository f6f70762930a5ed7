/**
 * @file An ONNX export of a language model as the prior, through `@xenova/transformers`: a folder with config.json,
 * tokenizer.json and `onnx/model*.onnx`, of any family that the library knows.
 */
import { existsSync, readdirSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import type { PreTrainedModel, PreTrainedTokenizer, Tensor } from '@xenova/transformers';
import { UserError } from '../../core/errors.js';
import type { Random } from '../../core/random.js';
import { type FluencyModel, meanNats, padEnds } from './fluency-model.js';

type Library = typeof import('@xenova/transformers');

const BATCH = 32;

/** Exports by preference: the most exact that is there. */
const exports = [
  { file: 'model.onnx', dtype: 'fp32' },
  { file: 'model_fp16.onnx', dtype: 'fp16' },
  { file: 'model_quantized.onnx', dtype: 'q8' },
  { file: 'model_q4.onnx', dtype: 'q4' },
] as const;

/** Whether a folder holds an ONNX export. */
export function isOnnxFolder(folder: string): boolean {
  const onnx = join(folder, 'onnx');
  return existsSync(onnx) && readdirSync(onnx).some((name) => name.endsWith('.onnx'));
}

export class OnnxFluency implements FluencyModel {
  tokenLayers = 0;

  private constructor(
    readonly name: string,
    private readonly library: Library,
    private readonly model: PreTrainedModel,
    private readonly tokenizer: PreTrainedTokenizer,
    private readonly start: number,
  ) {}

  /** @throws UserError when the folder's model cannot be used */
  static async open(folder: string): Promise<OnnxFluency> {
    const path = resolve(folder);
    const found = exports.find(({ file }) => existsSync(join(path, 'onnx', file)));
    if (!found)
      throw new UserError(
        `${folder}/onnx holds none of ${exports.map(({ file }) => file).join(', ')}; export the model as one of them`,
      );
    const library = await import('@xenova/transformers');
    library.env.allowRemoteModels = false;
    const options = { local_files_only: true, dtype: found.dtype } as const;
    try {
      const tokenizer = await library.AutoTokenizer.from_pretrained(path, options);
      const model = await library.AutoModelForCausalLM.from_pretrained(path, options);
      const start = tokenizer.bos_token_id ?? tokenizer.eos_token_id;
      if (start === null || start === undefined)
        throw new UserError('its tokenizer names neither a BOS nor an EOS token to start a text with');
      return new OnnxFluency(basename(path), library, model, tokenizer, start);
    } catch (error) {
      throw new UserError(
        `the ONNX model in ${folder} cannot be used as a prior: ${(error as Error).message}`,
        {
          cause: error,
        },
      );
    }
  }

  async crossEntropy(texts: readonly string[]): Promise<Float32Array> {
    const result = new Float32Array(texts.length);
    for (let at = 0; at < texts.length; at += BATCH) {
      const rows = texts.slice(at, at + BATCH).map((text) => this.encode(text));
      const capacity = Math.max(2, ...rows.map(({ length }) => length));
      const { data, vocab } = await this.logits(padEnds(rows, capacity), rows.length, capacity);
      const logProbs = new Float32Array(rows.length * (capacity - 1));
      for (const [row, ids] of rows.entries())
        for (let t = 1; t < ids.length; t++) {
          const from = (row * capacity + t - 1) * vocab;
          logProbs[row * (capacity - 1) + t - 1] = logSoftmaxAt(data.subarray(from, from + vocab), ids[t]!);
        }
      const lengths = rows.map(({ length }) => length);
      result.set(meanNats(logProbs, lengths, capacity), at);
    }
    return result;
  }

  async sample(count: number, tokens: number, random: Random): Promise<string[]> {
    const banned = new Set<number>(this.tokenizer.all_special_ids);
    const texts: string[] = [];
    for (let at = 0; at < count; at += BATCH) {
      const rows = Array.from({ length: Math.min(BATCH, count - at) }, () => [this.start]);
      for (let t = 1; t <= tokens; t++) {
        const { data, vocab } = await this.logits(padEnds(rows, t), rows.length, t);
        for (const [row, ids] of rows.entries()) {
          const from = ((row + 1) * t - 1) * vocab;
          const last = data.subarray(from, from + vocab);
          const top = last.reduce((a, b) => Math.max(a, b));
          ids.push(random.weighted(last.map((logit, id) => (banned.has(id) ? 0 : Math.exp(logit - top)))));
        }
      }
      texts.push(...rows.map((ids) => this.decode(ids.slice(1))));
    }
    return texts;
  }

  async dispose(): Promise<void> {
    await this.model.dispose();
  }

  private encode(text: string): number[] {
    return [this.start, ...this.tokenizer.encode(text, { add_special_tokens: false })];
  }

  private decode(ids: number[]): string {
    return this.tokenizer.decode(ids, { clean_up_tokenization_spaces: false });
  }

  /** Logits of `[rows, capacity]` tokens, `[rows, capacity, vocab]`. */
  private async logits(
    ids: Int32Array,
    rows: number,
    capacity: number,
  ): Promise<{ data: Float32Array; vocab: number }> {
    const int64 = (values: Iterable<number>) =>
      new this.library.Tensor('int64', BigInt64Array.from(values, BigInt), [rows, capacity]);
    const output = (await this.model({
      input_ids: int64(ids),
      attention_mask: int64(new Int32Array(ids.length).fill(1)),
    })) as { logits: Tensor };
    const layers = (this.model.config as { num_hidden_layers?: number }).num_hidden_layers ?? 1;
    this.tokenLayers += ids.length * layers;
    return { data: output.logits.to('float32').data as Float32Array, vocab: output.logits.dims.at(-1)! };
  }
}

function logSoftmaxAt(logits: Float32Array, index: number): number {
  const top = logits.reduce((a, b) => Math.max(a, b));
  const total = logits.reduce((sum, logit) => sum + Math.exp(logit - top), 0);
  return logits[index]! - top - Math.log(total);
}
