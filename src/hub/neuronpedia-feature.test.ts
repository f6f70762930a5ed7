/** Neuronpedia's API on a small server that answers as it does. */
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { UserError } from '../core/errors.js';
import { fetchPublishedFeature, neuronpediaAccess } from './neuronpedia-feature.js';

const name = 'gpt2-small/6-res-jb/650';
const servers: Server[] = [];
beforeEach(() => {
  vi.stubEnv('NEURONPEDIA_API_KEY', 'sk-np-secret');
  vi.stubEnv('NO_PROXY', '127.0.0.1');
});
afterEach(() => {
  vi.unstubAllEnvs();
  for (const server of servers.splice(0)) server.close();
});

async function serve(listener: RequestListener): Promise<string> {
  const server = createServer(listener);
  servers.push(server);
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}
const ask = (address: string) => fetchPublishedFeature(name, neuronpediaAccess(address)!);

describe('fetchPublishedFeature', () => {
  it('has the maximum and the strongest texts; the key is in the header', async () => {
    const asked: unknown[] = [];
    const address = await serve((request, response) => {
      asked.push([request.url, request.headers['x-api-key']]);
      const activations = Array.from({ length: 8 }, (_, i) => ({
        tokens: ['a', ' b'],
        values: [0, i],
        maxValue: i,
      }));
      response.end(
        JSON.stringify({ modelId: 'gpt2-small', maxActApprox: 7.5, explanations: [], activations }),
      );
    });
    const feature = await ask(`${address}/`);
    expect(asked).toEqual([[`/api/feature/${name}`, 'sk-np-secret']]);
    expect(feature).toMatchObject({ name, maximum: 7.5 });
    expect(feature.exemplars.map(({ values }) => values[1])).toEqual([7, 6, 5, 4, 3]);
  });

  it('does not follow to another origin, which never sees the key', async () => {
    let seen = 0;
    const elsewhere = await serve((_, response) => {
      seen++;
      response.end('{}');
    });
    const address = await serve((_, response) => response.writeHead(302, { Location: elsewhere }).end());
    await expect(ask(address)).rejects.toThrow(/another address, which is not followed/);
    expect(seen).toBe(0);
  });

  it.each<[string, RequestListener, RegExp]>([
    [
      'no such feature',
      (_, response) => response.writeHead(404).end(),
      /has no feature gpt2-small\/6-res-jb\/650/,
    ],
    ['a key that it refuses', (_, response) => response.writeHead(401).end(), /check NEURONPEDIA_API_KEY/],
    ['a server that is busy', (_, response) => response.writeHead(503).end(), /status 503.*try again/],
    ['a web page', (_, response) => response.end('<html>'), /does not answer as Neuronpedia does/],
    [
      'texts without a value per token',
      (_, response) => response.end(JSON.stringify({ activations: [{ tokens: ['a'], values: [] }] })),
      /does not answer as Neuronpedia does/,
    ],
    ['a connection that breaks', (request) => request.destroy(), /could not reach Neuronpedia/],
  ])('%s is a sentence, without the key', async (_, listener, message) => {
    const error = await ask(await serve(listener)).catch((error: unknown) => error);
    expect(error).toBeInstanceOf(UserError);
    expect((error as Error).message).toMatch(message);
    expect((error as Error).message).not.toContain('secret');
  });
});

describe('neuronpediaAccess', () => {
  it('is there with an address or a key', () => {
    expect(neuronpediaAccess(null)).toEqual({ address: 'https://www.neuronpedia.org', key: 'sk-np-secret' });
    vi.stubEnv('NEURONPEDIA_API_KEY', undefined);
    expect(neuronpediaAccess(null)).toBeNull();
    expect(neuronpediaAccess('http://localhost:3000')).toEqual({
      address: 'http://localhost:3000',
      key: null,
    });
  });

  it('refuses what cannot be one, without quoting it', () => {
    expect(() => neuronpediaAccess('ftp://secret')).toThrow(/no plain address/);
    vi.stubEnv('NEURONPEDIA_API_KEY', 'two words');
    expect(() => neuronpediaAccess(null)).toThrow(/^NEURONPEDIA_API_KEY holds spaces/);
  });
});
