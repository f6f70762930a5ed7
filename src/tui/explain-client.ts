/** @file Asks the explaining thread. While it is busy only the newest question waits: older ones are of no use. */
import { Worker } from 'node:worker_threads';
import type { Explanation } from '../core/explanation.js';
import { workerFile } from '../core/worker-file.js';
import type { RunDescription } from '../runs/description.js';
import type { ExplainReply, ExplainRequest } from './explain-worker.js';

/** How a question stands. */
export type Answer =
  | { readonly state: 'asked'; readonly note: string }
  | { readonly state: 'explained'; readonly explanation: Explanation; readonly milliseconds: number }
  | { readonly state: 'failed'; readonly error: string };

interface Question {
  readonly run: RunDescription;
  readonly text: string;
  readonly onAnswer: (answer: Answer) => void;
}

export class ExplainClient {
  private worker: Worker | null = null;
  private current: (Question & { id: number; since: number }) | null = null;
  private next: Question | null = null;
  private id = 0;

  /** Answers come to `onAnswer`, the last one `explained` or `failed`; none if a newer question took its place. */
  ask(run: RunDescription, text: string, onAnswer: (answer: Answer) => void): void {
    this.next = { run, text, onAnswer };
    if (!this.current) this.send();
  }

  dispose(): void {
    void this.worker?.terminate();
    this.worker = null;
  }

  private send(): void {
    const question = this.next;
    this.next = null;
    if (!question) return;
    this.current = { ...question, id: ++this.id, since: performance.now() };
    const { run, text } = question;
    this.start().postMessage({ id: this.id, run, text } satisfies ExplainRequest);
  }

  private start(): Worker {
    if (this.worker) return this.worker;
    const worker = new Worker(workerFile('tui/explain-worker.js'));
    worker.unref();
    worker.on('message', (reply: ExplainReply) => this.receive(reply));
    worker.on('error', (error) => {
      this.worker = null;
      this.receive({ id: this.id, error: `the explaining thread broke off: ${error.message}` });
    });
    this.worker = worker;
    return worker;
  }

  private receive(reply: ExplainReply): void {
    const question = this.current;
    if (!question || reply.id !== question.id) return;
    if ('note' in reply) {
      question.onAnswer({ state: 'asked', note: reply.note });
      return;
    }
    this.current = null;
    const milliseconds = performance.now() - question.since;
    question.onAnswer(
      'error' in reply
        ? { state: 'failed', error: reply.error }
        : { state: 'explained', explanation: reply.explanation, milliseconds },
    );
    this.send();
  }
}
