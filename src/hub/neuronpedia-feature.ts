/** @file What Neuronpedia publishes of a feature: its maximum and the texts that excite it most. */
import { fetch } from 'undici';
import * as z from 'zod';
import { UserError } from '../core/errors.js';
import { openDispatcher } from './access.js';
import { hubSettings } from './settings.js';

export interface PublishedFeature {
  /** `gemma-2-2b/20-gemmascope-res-16k/1234` */
  readonly name: string;
  /** The largest activation in Neuronpedia's texts; null where it is not published. */
  readonly maximum: number | null;
  /** Strongest first. */
  readonly exemplars: readonly PublishedExemplar[];
}

export interface PublishedExemplar {
  readonly tokens: readonly string[];
  /** Activations of the tokens. */
  readonly values: readonly number[];
}

export interface NeuronpediaAccess {
  /** Of the API; `https://www.neuronpedia.org` is everybody's. */
  readonly address: string;
  /** Sent to the address's own origin alone. */
  readonly key: string | null;
  readonly signal?: AbortSignal;
}

/** Where Neuronpedia is. */
const PUBLIC = 'https://www.neuronpedia.org';

/** Bytes of an answer: a few hundred kilobytes are usual. */
const MOST_BYTES = 16e6;
const MOST_EXEMPLARS = 5;

const answer = z.object({
  maxActApprox: z.number().nullish(),
  activations: z
    .array(
      z
        .object({ tokens: z.array(z.string()).max(10_000), values: z.array(z.number()) })
        .refine(({ tokens, values }) => tokens.length === values.length, { message: 'tokens and values' }),
    )
    .nullish(),
});

/**
 * Where to ask, by an address that the user gives and the variable `NEURONPEDIA_API_KEY`; null where there is neither.
 *
 * @throws UserError when one of them cannot be one
 */
export function neuronpediaAccess(address: string | null): NeuronpediaAccess | null {
  const key = process.env.NEURONPEDIA_API_KEY?.trim() || null;
  if (address === null && key === null) return null;
  // A header takes no other characters, and its error would quote them.
  if (key !== null && !/^[!-~]{1,4000}$/.test(key))
    throw new UserError('NEURONPEDIA_API_KEY holds spaces or odd characters; copy the key again');
  const url = URL.canParse(address ?? PUBLIC) ? new URL(address ?? PUBLIC) : null;
  if (url === null || !/^https?:$/.test(url.protocol) || url.username || url.search || url.hash)
    throw new UserError(`the address of Neuronpedia is no plain address; give one like ${PUBLIC}`);
  return { address: (url.origin + url.pathname).replace(/\/+$/, ''), key };
}

/**
 * Asks for a feature (`GET /api/feature/MODEL/SOURCE/INDEX`).
 *
 * @param name - `gemma-2-2b/20-gemmascope-res-16k/1234`
 * @throws UserError when it cannot be reached, has no such feature, refuses, or answers something else
 */
export async function fetchPublishedFeature(
  name: string,
  { address, key, signal }: NeuronpediaAccess,
): Promise<PublishedFeature> {
  const settings = hubSettings();
  const dispatcher = openDispatcher(settings);
  const silence = AbortSignal.timeout(settings.patience.silence);
  try {
    const response = await fetch(`${address}/api/feature/${name}`, {
      headers: { Accept: 'application/json', ...(key !== null && { 'x-api-key': key }) },
      // It would take the key along.
      redirect: 'manual',
      signal: signal ? AbortSignal.any([signal, silence]) : silence,
      dispatcher,
    });
    if (!response.ok) throw refusal(name, address, response.status);
    return { name, ...published(address, await textOf(address, response.body)) };
  } catch (error) {
    if (signal?.aborted) throw signal.reason;
    if (error instanceof UserError) throw error;
    const { code, message } = ((error as Error).cause ?? error) as NodeJS.ErrnoException;
    throw new UserError(`could not reach Neuronpedia at ${address} (${code ?? message}): check the network`, {
      cause: error,
    });
  } finally {
    await dispatcher.destroy();
  }
}

function refusal(name: string, address: string, status: number): UserError {
  if (status === 404)
    return new UserError(`Neuronpedia at ${address} has no feature ${name}; check its name`);
  if (status === 401 || status === 403)
    return new UserError(
      `Neuronpedia at ${address} does not show ${name} (status ${status}); check NEURONPEDIA_API_KEY`,
    );
  if (status >= 300 && status < 400)
    return new UserError(`${address} refers to another address, which is not followed; give that one`);
  return new UserError(`Neuronpedia at ${address} does not answer (status ${status}); try again in a while`);
}

async function textOf(address: string, body: AsyncIterable<Uint8Array> | null): Promise<string> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of body ?? []) {
    bytes += chunk.length;
    if (bytes > MOST_BYTES)
      throw new UserError(`${address} answered with more than ${MOST_BYTES / 1e6} MB; check the address`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString();
}

function published(address: string, text: string): Omit<PublishedFeature, 'name'> {
  let json: unknown = null;
  try {
    json = JSON.parse(text);
  } catch {
    // Said below.
  }
  const { success, data } = answer.safeParse(json);
  if (!success)
    throw new UserError(`${address} does not answer as Neuronpedia does; check the address of its API`);
  const strongest = (data.activations ?? [])
    .filter(({ values }) => values.length > 0)
    .map((exemplar) => ({ exemplar, maximum: Math.max(...exemplar.values) }))
    .sort((a, b) => b.maximum - a.maximum)
    .slice(0, MOST_EXEMPLARS);
  return {
    maximum: data.maxActApprox ?? strongest[0]?.maximum ?? null,
    exemplars: strongest.map(({ exemplar }) => exemplar),
  };
}
