/** @file A page of a site: style and script are files beside it, so that thousands of pages stay small. */
import { type Content, html } from '../html.js';

/**
 * A whole document.
 *
 * @param root - where the site's folder is, relative to the page: `.` or `..`
 * @param scripts - further scripts, before the site's own
 */
export function siteDocument(
  title: string,
  root: string,
  body: Content,
  scripts: readonly string[] = [],
): string {
  // Nothing comes from anywhere but the site itself, opened from disk or from a server.
  const own = "'self' file:";
  const policy = `default-src 'none'; img-src ${own} data:; style-src ${own} 'unsafe-inline'; script-src ${own}`;
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<link rel="icon" href="data:,">
<title>${title}</title>
<link rel="stylesheet" href="${root}/site.css">
${scripts.map((script) => html`<script src="${root}/${script}" defer></script>`)}
<script src="${root}/site.js" defer></script>
</head>
<body>
${body}
<div id="tip" role="tooltip" hidden></div>
</body>
</html>
`.markup;
}
