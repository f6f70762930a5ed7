/** @file A small Hugging Face hub on loopback, for tests: the API and files of one model, and its ways to fail. */
import { createHash } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Readable } from 'node:stream';

export interface FakeFile {
  content: Buffer;
  /** Kept in the storage, behind a redirect, and named by SHA-256. */
  lfs: boolean;
}

/** How the hub misbehaves; every field may be changed between requests. */
export interface Mischief {
  /** After how many bytes the next transfers are cut; one that is shorter does not count. */
  cuts: number[];
  /** Answer nothing after so many bytes, keeping the connection. */
  stallAfter: number | null;
  ignoreRanges: boolean;
  /** What the listing says about a file's size, beside the truth. */
  extraSize: number;
  /** Bytes flipped in so many transfers. */
  damages: number;
  /** Status of every answer of the API, and its X-Error-Code. */
  refuse: { status: number; code?: string } | null;
  /** Only with this token. */
  token: string | null;
  /** Changes an answer of the API before it is sent. */
  alter: ((answer: FakeAnswer) => FakeAnswer) | null;
}

/** An answer of the API. */
export interface FakeAnswer {
  kind: 'info' | 'tree';
  status: number;
  headers: Record<string, string>;
  body: Buffer | AsyncIterable<Buffer>;
}

export class FakeHub {
  /** Method, host and path of all requests, with the range. */
  readonly requests: string[] = [];
  /** Authorization headers that reached the storage, which must get none. */
  readonly leakedTokens: string[] = [];
  readonly mischief: Mischief = {
    cuts: [],
    stallAfter: null,
    ignoreRanges: false,
    extraSize: 0,
    damages: 0,
    refuse: null,
    token: null,
    alter: null,
  };
  private readonly hub = createServer((request, response) => this.answer(request, response));
  private readonly storage = createServer((request, response) => this.answerStorage(request, response));

  constructor(
    readonly repo: string,
    readonly files: Map<string, FakeFile>,
    /** Commits by revision. */
    readonly revisions: Map<string, string>,
  ) {}

  async start(): Promise<this> {
    await Promise.all(
      [this.hub, this.storage].map(
        (server) => new Promise<void>((done) => server.listen(0, '127.0.0.1', done)),
      ),
    );
    return this;
  }

  async stop(): Promise<void> {
    await Promise.all(
      [this.hub, this.storage].map((server) => {
        server.closeAllConnections();
        return new Promise<void>((done) => server.close(() => done()));
      }),
    );
  }

  get endpoint(): string {
    return address(this.hub);
  }

  /** Another origin, which must never see the token. */
  get elsewhere(): string {
    return address(this.storage);
  }

  private answer(request: IncomingMessage, response: ServerResponse): void {
    const url = new URL(request.url ?? '', this.endpoint);
    this.note('hub', request, url);
    const { refuse, token } = this.mischief;
    if (refuse !== null) {
      fail(response, refuse.status, refuse.code);
      return;
    }
    if (token !== null && request.headers.authorization !== `Bearer ${token}`) {
      fail(response, 401, 'RepoNotFound');
      return;
    }
    const api = `/api/models/${this.repo}`;
    const path = decodeURIComponent(url.pathname);
    if (path.startsWith(`${api}/revision/`)) {
      this.answerInfo(path.slice(`${api}/revision/`.length), response);
      return;
    }
    if (path.startsWith(`${api}/tree/`)) {
      const [, ...folder] = path.slice(`${api}/tree/`.length).split('/');
      this.answerTree(folder.join('/'), url.searchParams.get('recursive') === 'true', response);
      return;
    }
    const [, revision = '', name = ''] = new RegExp(`^/${this.repo}/resolve/([^/]+)/(.+)$`).exec(path) ?? [];
    const commit = this.commitOf(revision);
    const file = this.files.get(name);
    if (commit === undefined || file === undefined) {
      fail(response, 404, commit === undefined ? 'RevisionNotFound' : 'EntryNotFound');
      return;
    }
    const headers = { ETag: `"${etagOf(file)}"`, 'X-Repo-Commit': commit };
    if (!file.lfs) {
      this.send(request, response, file.content, headers);
      return;
    }
    const linked = { 'X-Linked-ETag': `"${etagOf(file)}"`, 'X-Linked-Size': file.content.length };
    response
      .writeHead(302, { ...headers, ...linked, Location: `${address(this.storage)}/${etagOf(file)}` })
      .end();
  }

  private commitOf(revision: string): string | undefined {
    return this.revisions.get(revision) ?? [...this.revisions.values()].find((commit) => commit === revision);
  }

  private answerInfo(revision: string, response: ServerResponse): void {
    const sha =
      this.revisions.get(revision) ?? [...this.revisions.values()].find((commit) => commit === revision);
    if (sha === undefined) {
      fail(response, 404, 'RevisionNotFound');
      return;
    }
    this.reply(response, 'info', {
      _id: '1',
      id: this.repo,
      sha,
      private: false,
      lastModified: '2025-01-01T00:00:00.000Z',
    });
  }

  private answerTree(folder: string, recursive: boolean, response: ServerResponse): void {
    const inside = [...this.files].filter(([path]) => folder === '' || path.startsWith(`${folder}/`));
    if (inside.length === 0 && folder !== '') {
      fail(response, 404, 'EntryNotFound');
      return;
    }
    const depth = folder === '' ? 1 : folder.split('/').length + 1;
    const listed = inside.filter(([path]) => recursive || path.split('/').length === depth);
    const entries = listed.map(([path, file]) => {
      const size = file.content.length + this.mischief.extraSize;
      const lfs = file.lfs && { lfs: { oid: sha256(file.content), size, pointerSize: 130 } };
      return { type: 'file', path, size, oid: gitOid(file.content), ...lfs };
    });
    this.reply(response, 'tree', [
      ...entries,
      { type: 'directory', path: 'onnx', size: 0, oid: '0'.repeat(40) },
    ]);
  }

  private reply(response: ServerResponse, kind: FakeAnswer['kind'], value: unknown): void {
    const plain: FakeAnswer = {
      kind,
      status: 200,
      headers: { 'Content-Type': 'application/json' },
      body: Buffer.from(JSON.stringify(value)),
    };
    const { status, headers, body } = this.mischief.alter?.(plain) ?? plain;
    response.writeHead(status, headers);
    if (Buffer.isBuffer(body)) response.end(body);
    else Readable.from(body).pipe(response);
  }

  private answerStorage(request: IncomingMessage, response: ServerResponse): void {
    const url = new URL(request.url ?? '', address(this.storage));
    this.note('storage', request, url);
    if (request.headers.authorization) this.leakedTokens.push(request.headers.authorization);
    const file = [...this.files.values()].find((candidate) => etagOf(candidate) === url.pathname.slice(1));
    if (file === undefined) {
      fail(response, 404);
      return;
    }
    this.send(request, response, file.content, {});
  }

  private send(
    request: IncomingMessage,
    response: ServerResponse,
    content: Buffer,
    headers: Record<string, string>,
  ): void {
    const range = this.mischief.ignoreRanges ? null : /^bytes=(\d+)-/.exec(request.headers.range ?? '');
    const from = range ? Number(range[1]) : 0;
    if (range && from >= content.length) {
      response.writeHead(416, { 'Content-Range': `bytes */${content.length}` }).end();
      return;
    }
    const body = Buffer.from(content.subarray(from));
    if (this.mischief.damages > 0 && body.length > 0) {
      this.mischief.damages--;
      body[0]! ^= 0xff;
    }
    const part = range && { 'Content-Range': `bytes ${from}-${content.length - 1}/${content.length}` };
    response.writeHead(range ? 206 : 200, { ...headers, ...part, 'Content-Length': body.length });
    if (this.mischief.stallAfter !== null && body.length > this.mischief.stallAfter) {
      response.write(body.subarray(0, this.mischief.stallAfter));
      return;
    }
    const [cut] = this.mischief.cuts;
    if (cut !== undefined && body.length > cut) {
      this.mischief.cuts.shift();
      response.write(body.subarray(0, cut), () => setTimeout(() => response.destroy(), 50));
      return;
    }
    response.end(body);
  }

  private note(host: string, request: IncomingMessage, url: URL): void {
    const range = request.headers.range ? ` ${request.headers.range}` : '';
    this.requests.push(`${request.method} ${host} ${decodeURIComponent(url.pathname)}${range}`);
  }
}

/** How the hub names the content: git's SHA-1, or SHA-256 in the storage. */
export function etagOf({ content, lfs }: FakeFile): string {
  return lfs ? sha256(content) : gitOid(content);
}

function sha256(content: Buffer): string {
  return createHash('sha256').update(content).digest('hex');
}

function gitOid(content: Buffer): string {
  return createHash('sha1').update(`blob ${content.length}\0`).update(content).digest('hex');
}

function address(server: Server): string {
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

function fail(response: ServerResponse, status: number, code?: string): void {
  const headers = { 'Content-Type': 'application/json', ...(code !== undefined && { 'X-Error-Code': code }) };
  response.writeHead(status, headers).end(JSON.stringify({ error: 'refused' }));
}
