/** @file Names of layers as `--unit` reads them: bare, or in double quotes where they hold something that ends a name. */

/** A bare name, for a regular expression. */
export const bareLayer = String.raw`[^\s:@*+(),"#-][^\s:@*+(),"#]*`;
/** A name between double quotes, in which a backslash stands before a quote or a backslash. */
export const quotedLayer = String.raw`(?:[^"\\]|\\.)+`;

const bare = new RegExp(`^${bareLayer}$`);
/** Names that mean something else. */
const reserved = new Set(['logit']);

/** A layer's name as `--unit` reads it. */
export function formatLayer(name: string): string {
  const isBare = bare.test(name) && !/^[\d.]/.test(name) && !reserved.has(name);
  return isBare ? name : `"${name.replace(/["\\]/g, '\\$&')}"`;
}

/** The name that was written between quotes. */
export const unquoted = (text: string): string => text.replace(/\\(.)/g, '$1');
