/** @file A run as one HTML page: nothing is loaded from anywhere. */
import { embedPictures } from './embedded-pictures.js';
import { type Content, type Html, html, trusted } from './html.js';
import { type ReportedRun, unitLabel } from './reported-run.js';
import { pageScript } from './script.js';
import { explainedSection } from './sections/explained.js';
import { clusterSection, frontierSection } from './sections/frontier.js';
import { pictureSection } from './sections/pictures.js';
import { publishedSection } from './sections/published.js';
import { runHead, runSettings } from './sections/run-head.js';
import { trainingSection } from './sections/training.js';
import { pageStyle } from './style.js';

/** The page of a run, with whatever the run has. */
export async function runPage(run: ReportedRun): Promise<string> {
  const sections = [
    pictureSection(run, await embedPictures(run)),
    trainingSection(run),
    frontierSection(run),
    clusterSection(run),
    publishedSection(run),
    explainedSection(run),
  ].filter((section) => section !== null);
  const body = html`${runHead(run)}
<main>${sections.length > 0 ? sections : html`<p>Nothing was found or drawn in this run yet.</p>`}
${runSettings(run)}</main>`;
  return document(`${unitLabel(run)} · superstimulus`, body);
}

/** A whole document around a body. */
export function document(title: string, body: Content): string {
  // The policy makes it certain: a page that tried to load something would fail.
  const policy = "default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src 'unsafe-inline'";
  const page: Html = html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<link rel="icon" href="data:,">
<title>${title}</title>
<style>${trusted(pageStyle)}</style>
</head>
<body>
${body}
<div id="tip" role="tooltip" hidden></div>
<script>${trusted(pageScript)}</script>
</body>
</html>
`;
  return page.markup;
}
