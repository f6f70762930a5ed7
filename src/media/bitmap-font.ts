/** @file Letters of 3 x 5 pixels, so that labels look the same on machines with no fonts. */

/** Five rows from the top, an octal digit each: 4 is the left pixel, 2 the middle, 1 the right. */
const glyphs: Readonly<Record<string, string>> = {
  '0': '75557',
  '1': '26227',
  '2': '61247',
  '3': '61216',
  '4': '55711',
  '5': '74616',
  '6': '34757',
  '7': '71222',
  '8': '75757',
  '9': '75716',
  A: '25755',
  B: '65656',
  C: '34443',
  D: '65556',
  E: '74647',
  F: '74644',
  G: '34553',
  H: '55755',
  I: '72227',
  J: '11152',
  K: '55655',
  L: '44447',
  M: '57755',
  N: '65555',
  O: '75557',
  P: '65644',
  Q: '75573',
  R: '65655',
  S: '34216',
  T: '72222',
  U: '55557',
  V: '55552',
  W: '55775',
  X: '55255',
  Y: '55222',
  Z: '71247',
  ':': '02020',
  _: '00007',
  '-': '00700',
  '.': '00002',
  ',': '00024',
  '/': '11244',
  '@': '75743',
  '*': '05250',
  '+': '02720',
  '(': '12221',
  ')': '42224',
  '#': '57575',
  '=': '07070',
  ' ': '00000',
};
const unknown = '77777';

export const glyphHeight = 5;
/** Columns that a text takes, the last gap left out. */
export const textColumns = (text: string): number => Math.max(0, 4 * text.length - 1);

/** Calls `dot` for each pixel of a text, from its top left corner. Small letters look like large ones. */
export function drawText(text: string, dot: (row: number, column: number) => void): void {
  [...text.toUpperCase()].forEach((character, i) => {
    const rows = Object.hasOwn(glyphs, character) ? glyphs[character]! : unknown;
    for (let row = 0; row < glyphHeight; row++) {
      for (let column = 0; column < 3; column++) {
        if (Number(rows[row]) & (4 >> column)) dot(row, 4 * i + column);
      }
    }
  });
}
