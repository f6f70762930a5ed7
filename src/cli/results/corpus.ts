/** @file What `superstim corpus` prints for people. */
import { counted, formatBytes, formatSeconds, formatTable } from '../../core/format.js';
import { formatFrame } from '../../core/frame-report.js';
import { visible } from '../../core/visible.js';
import type { CorpusResult, CorpusText } from '../../text/corpus/corpus-scan.js';
import type { Paint } from '../output.js';

/** The strongest texts, their peaks marked. */
export function formatCorpus(document: CorpusResult & { run: string }, paint: Paint): string {
  const { unit, corpus, cost, frame, hypervolume, frontier, top, run } = document;
  const read =
    corpus.bytes_read < corpus.bytes
      ? `${formatBytes(corpus.bytes_read)} of ${formatBytes(corpus.bytes)}`
      : formatBytes(corpus.bytes);
  const what = `${counted(cost.evaluations, corpus.cut.unit)}, ${read} in ${formatSeconds(cost.seconds)}`;
  const header = ['nats', 'z', 'margin', 'rank', 'text, its peak marked'];
  return [
    paint(
      'bold',
      `${unit}: ${counted(frontier.length, 'text')} on the frontier, hypervolume ${hypervolume.toFixed(1)} (${what})`,
    ),
    formatTable([header, ...top.map((text) => formatText(text, paint))]),
    '',
    formatFrame(frame),
    `run: ${run}`,
  ].join('\n');
}

function formatText({ tokens, peak, cross_entropy, z, margin, rank }: CorpusText, paint: Paint): string[] {
  const marked = tokens.map((token, i) =>
    i === peak ? paint('bold', `[${visible(token)}]`) : visible(token),
  );
  return [
    cross_entropy.toFixed(2),
    z.toFixed(2),
    margin?.toFixed(2) ?? '',
    rank === null ? '' : String(rank),
    marked.join(''),
  ];
}
