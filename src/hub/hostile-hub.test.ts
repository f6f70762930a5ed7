import {
  closeSync,
  openSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { createServer, type Server } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { FakeAnswer } from '../../test/fake-hub.js';
import {
  downloadTiny,
  expectWhole,
  jsonFile,
  someWeights,
  tinyBlob,
  tinyFolder,
  tinyHubEach,
} from '../../test/helpers/tiny-hub.js';
import { UserError } from '../core/errors.js';

const at = tinyHubEach();
beforeEach(() => {
  at.settings.patience.silence = 20_000;
});

const repoFolder = () => tinyFolder(at);
const blobOf = (name: string) => tinyBlob(at, name);
const answersOf = (kind: FakeAnswer['kind'], change: Partial<FakeAnswer>) => {
  at.hub.mischief.alter = (answer) => (answer.kind === kind ? { ...answer, ...change } : answer);
};

describe('names from the hub', () => {
  it.each(['../../../../../planted', '/tmp/planted', 'a\\b', 'x'.repeat(300), 'a\x1b]0;x\x07'])(
    'stay in the snapshot (%#)',
    async (shard) => {
      at.hub.files.delete('model.safetensors');
      at.hub.files.set(shard, someWeights(5));
      at.hub.files.set('model.safetensors.index.json', jsonFile({ weight_map: { a: shard } }));
      await expect(downloadTiny(at.settings)).rejects.toThrow(
        /model\.safetensors\.index\.json names .*it is not used/,
      );
      expect(at.hub.requests.filter((request) => request.includes('storage'))).toEqual([]);
      expect(readdirSync(at.scratch).filter((name) => !name.startsWith('cache-'))).toEqual([]);
    },
  );

  it('do not follow a link that was there before', async () => {
    const { folder } = await downloadTiny(at.settings);
    rmSync(join(folder, 'config.json'));
    symlinkSync(join(at.scratch, 'planted'), join(folder, 'config.json'));
    await expect(downloadTiny(at.settings)).rejects.toThrow(/symbolic link that leads out/);
  });
});

describe('the token', () => {
  it('does not follow the pages of a listing to another origin', async () => {
    at.settings.token = 'hf_secret';
    answersOf('tree', { headers: { Link: `<${at.hub.elsewhere}/next>; rel="next"` } });
    await expect(downloadTiny(at.settings)).rejects.toThrow(UserError);
    expect(at.hub.requests).toContain('GET storage /next');
    expect(at.hub.leakedTokens).toEqual([]);
  });

  it('does not follow a redirect of the API to another origin', async () => {
    at.settings.token = 'hf_secret';
    answersOf('info', { status: 307, headers: { Location: `${at.hub.elsewhere}/info` } });
    await expect(downloadTiny(at.settings)).rejects.toThrow(UserError);
    expect(at.hub.requests).toContain('GET storage /info');
    expect(at.hub.leakedTokens).toEqual([]);
  });
});

describe('an answer of the API', () => {
  it.each([
    ['<!DOCTYPE html><title>Log in</title>', /a web page.*wants you to log in/],
    ['', /an empty answer/],
    ['{"sha":', /no JSON/],
    ['null', /expected object/],
    ['[]', /expected object/],
    ['{"sha":"../../x"}', /sha/],
    ['{"__proto__":{"sha":"a"}}', /sha/],
  ])('that is %j is one sentence', async (body, sentence) => {
    answersOf('info', { body: Buffer.from(body) });
    await expect(downloadTiny(at.settings)).rejects.toThrow(UserError);
    await expect(downloadTiny(at.settings)).rejects.toThrow(sentence);
  });

  it.each([
    'null',
    '{}',
    '[null]',
    '[{"type":"file"}]',
    '[{"type":"file","path":"config.json","size":-1,"oid":"a"}]',
  ])('that lists %s is one sentence', async (body) => {
    answersOf('tree', { body: Buffer.from(body) });
    await expect(downloadTiny(at.settings)).rejects.toThrow(/does not answer as a Hugging Face hub does/);
  });

  it('of a log-in page leaves what is in the cache', async () => {
    const { folder } = await downloadTiny(at.settings);
    answersOf('info', { body: Buffer.from('<html>') });
    expect(await downloadTiny(at.settings)).toMatchObject({ folder, events: [{ kind: 'warning' }] });
  });

  it('that never begins is one sentence, within the patience', async () => {
    const silent = createServer(() => undefined);
    await new Promise<void>((done) => silent.listen(0, '127.0.0.1', done));
    at.settings.endpoint = `http://127.0.0.1:${(silent.address() as AddressInfo).port}`;
    at.settings.patience.silence = 50;
    try {
      await expect(downloadTiny(at.settings)).rejects.toThrow(/could not reach .*no answer/);
    } finally {
      silent.closeAllConnections();
      silent.close();
    }
  }, 10_000);

  it('that does not end is not read to the end', async () => {
    async function* endless() {
      for (;;) yield Buffer.alloc(1 << 20, 0x20);
    }
    answersOf('tree', { body: endless() });
    await expect(downloadTiny(at.settings)).rejects.toThrow(/more than 16 MB/);
  });

  it('that always has a next page is not followed for ever', async () => {
    answersOf('tree', { body: Buffer.from('[]'), headers: { Link: `<${at.hub.endpoint}/api/models/tiny-org/tiny-model/tree/x>; rel="next"` } }); // biome-ignore format: long
    await expect(downloadTiny(at.settings)).rejects.toThrow(/does not end/);
    expect(at.hub.requests.length).toBeLessThan(110);
  });

  it('that lists too many files is not read to the end', async () => {
    const file = (i: number) => ({ type: 'file', path: `f${i}`, size: 1, oid: 'a'.repeat(40) });
    const page = Buffer.from(JSON.stringify(Array.from({ length: 60_000 }, (_, i) => file(i))));
    answersOf('tree', { body: page, headers: { Link: `<${at.hub.endpoint}/api/models/tiny-org/tiny-model/tree/x>; rel="next"` } }); // biome-ignore format: long
    await expect(downloadTiny(at.settings)).rejects.toThrow(/does not end/);
    expect(at.hub.requests.length).toBeLessThan(6);
  });
});

describe('the cache', () => {
  it('is filled by three downloads at once, which fetch each file once', async () => {
    const runs = await Promise.all([1, 2, 3].map(() => downloadTiny(at.settings)));
    for (const { folder } of runs) expectWhole(at, folder);
    expect(at.hub.requests.filter((request) => request.startsWith('GET storage'))).toHaveLength(1);
    expect(readdirSync(join(repoFolder(), 'blobs')).filter((name) => name.includes('incomplete'))).toEqual(
      [],
    );
  });

  it('resumes with what a killed process had', async () => {
    const { folder } = await downloadTiny(at.settings);
    const blob = blobOf('model.safetensors');
    rmSync(folder, { recursive: true });
    rmSync(blob);
    // No process has this number.
    writeFileSync(
      `${blob}.4194305-0a.incomplete`,
      at.hub.files.get('model.safetensors')!.content.subarray(0, 1e5),
    );
    expectWhole(at, (await downloadTiny(at.settings)).folder);
    expect(at.hub.requests.at(-1)).toContain('bytes=100000-');
  });

  it('is mended where a blob was damaged', async () => {
    const { folder } = await downloadTiny(at.settings);
    for (const name of ['config.json', 'model.safetensors']) {
      const blob = realpathSync(join(folder, name));
      writeFileSync(blob, Buffer.alloc(readFileSync(blob).length));
      const again = await downloadTiny(at.settings);
      expectWhole(at, again.folder);
      expect(again.events).toContainEqual(
        expect.objectContaining({ kind: 'warning', message: `damaged in the cache, fetched again: ${name}` }),
      );
      writeFileSync(blob, 'short');
      at.settings.offline = true;
      await expect(downloadTiny(at.settings)).rejects.toThrow(`damaged in the cache: ${name}`);
      at.settings.offline = false;
      expectWhole(at, (await downloadTiny(at.settings)).folder);
    }
  });

  it('is noticed to be damaged in the middle of a large file', async () => {
    const header = Buffer.from('{"w":{"dtype":"F32","shape":[9000000],"data_offsets":[0,36000000]}}');
    const length = Buffer.from(new BigUint64Array([BigInt(header.length)]).buffer);
    const content = Buffer.concat([length, header, Buffer.alloc(36_000_000)]);
    at.hub.files.set('model.safetensors', { content, lfs: true });
    await downloadTiny(at.settings);
    const blob = blobOf('model.safetensors');
    const file = openSync(blob, 'r+');
    writeSync(file, 'x', 20_000_000);
    closeSync(file);
    expectWhole(at, (await downloadTiny(at.settings)).folder);
  });
});

describe('a proxy', () => {
  const asked: string[] = [];
  const proxy: Server = createServer((request, response) => {
    asked.push(`${request.method} ${request.url}`);
    response.writeHead(502).end();
  });
  proxy.on('connect', (request, socket) => {
    asked.push(`CONNECT ${request.url}`);
    socket.end('HTTP/1.1 502 Bad Gateway\r\n\r\n');
  });
  beforeEach(async () => {
    asked.length = 0;
    await new Promise<void>((done) => proxy.listen(0, '127.0.0.1', done));
  });
  afterEach(() => {
    proxy.closeAllConnections();
    return new Promise<void>((done) => proxy.close(() => done()));
  });
  const address = () => `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`;

  it('is asked for plain and for secure addresses, and not for those of NO_PROXY', async () => {
    at.settings.proxies = { http: address(), https: address(), none: '' };
    at.settings.endpoint = 'http://hub.example';
    await expect(downloadTiny(at.settings)).rejects.toThrow(/is busy \(status 502\)/);
    expect(asked.at(-1)).toMatch(/^GET http:\/\/hub\.example\/api\/models\/tiny-org/);
    at.settings.endpoint = 'https://hub.example';
    await expect(downloadTiny(at.settings)).rejects.toThrow(
      /could not reach https:\/\/hub\.example.* HTTPS_PROXY/,
    );
    expect(asked.at(-1)).toBe('CONNECT hub.example:443');
    asked.length = 0;
    at.settings.endpoint = at.hub.endpoint;
    at.settings.proxies.none = '127.0.0.1';
    expectWhole(at, (await downloadTiny(at.settings)).folder);
    expect(asked).toEqual([]);
  });

  it('passes a whole model through', async () => {
    proxy.removeAllListeners('request').on('request', (request, response) => {
      const { host, port, pathname, search } = new URL(request.url!);
      asked.push(host);
      const up = connect(Number(port), '127.0.0.1', () => {
        const headers = Object.entries({ ...request.headers, connection: 'close' }).map(
          ([k, v]) => `${k}: ${v}\r\n`,
        );
        up.write(`${request.method} ${pathname}${search} HTTP/1.1\r\n${headers.join('')}\r\n`);
      });
      up.pipe(response.socket!);
    });
    at.settings.proxies.http = address();
    expectWhole(at, (await downloadTiny(at.settings)).folder);
    expect(new Set(asked)).toEqual(
      new Set([at.hub.endpoint, at.hub.elsewhere].map((url) => new URL(url).host)),
    );
  });

  it('whose address is none is one sentence that does not show its password', async () => {
    at.settings.proxies.https = 'no address:secret@';
    await expect(downloadTiny(at.settings)).rejects.toThrow(/HTTPS_PROXY or HTTP_PROXY is no address/);
    await expect(downloadTiny(at.settings)).rejects.not.toThrow(/secret/);
  });
});
