/** @file A redis-server of the system, for tests of queues; absent on many machines. */
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { delimiter, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

const executable = (process.env.PATH ?? '')
  .split(delimiter)
  .map((folder) => join(folder, 'redis-server'))
  .find((path) => existsSync(path));

/** For `describe.skipIf`. */
export const noRedis = executable === undefined;

/** A server on a free port that writes everything down: a restart loses nothing. */
export class RedisServer {
  private child: ChildProcess | null = null;

  private constructor(
    private readonly folder: string,
    readonly port: number,
    private readonly password: string,
  ) {}

  static async start(folder: string, password: string): Promise<RedisServer> {
    const server = new RedisServer(folder, await freePort(), password);
    await server.begin();
    return server;
  }

  get address(): string {
    return `redis://:${this.password}@127.0.0.1:${this.port}`;
  }

  async begin(): Promise<void> {
    const flags = ['--port', String(this.port), '--dir', this.folder, '--bind', '127.0.0.1'];
    const kept = ['--appendonly', 'yes', '--save', '', '--requirepass', this.password];
    this.child = spawn(executable!, [...flags, ...kept], { stdio: 'ignore' });
    while (!(await answers(this.port))) await sleep(20);
  }

  async end(): Promise<void> {
    const { child } = this;
    this.child = null;
    if (child === null) return;
    const ended = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGTERM');
    await ended;
  }
}

function freePort(): Promise<number> {
  const server = createServer();
  return new Promise((resolve) =>
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address ? address.port : 0));
    }),
  );
}

function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => resolve(true));
    socket.once('error', () => resolve(false));
    socket.once('close', () => socket.destroy());
    setTimeout(() => socket.destroy(), 200);
  });
}
