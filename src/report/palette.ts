/** @file Colours that people of every colour vision can distinguish, on light and on dark pages. */
import { scaleLinear } from 'd3-scale';

/** Steps on each side of zero. */
export const COLOR_STEPS = 6;

type Theme = 'light' | 'dark';

/** Purple to orange through the page's own colour: how strongly a unit fires, and against what sign. */
const strengths = {
  light: ['#6a51a3', '#f6f5f2', '#e08214'],
  dark: ['#9e8fd0', '#22242a', '#f0932b'],
} as const;

/** The page's colour to teal: how surprising a token is. */
const surprises = { light: ['#f6f5f2', '#1b8a7a'], dark: ['#22242a', '#4cc3ae'] } as const;

/** Nats at which a token is as surprising as the scale can say. */
export const MOST_SURPRISE = 10;

/** The class of a value between -most and most: `z-6` … `z6`. */
export function strengthClass(value: number, most: number): string {
  return `z${Math.round(COLOR_STEPS * clamp(value / (most || 1)))}`;
}

/** The class of ln p: `p0` … `p6`. */
export function surpriseClass(logProb: number): string {
  return `p${Math.round(COLOR_STEPS * clamp(-logProb / MOST_SURPRISE, 0))}`;
}

function clamp(value: number, least = -1): number {
  return Math.min(1, Math.max(least, value));
}

/** Rules for all classes of a theme; what is selected by `.by-p` shows surprise, else strength. */
export function paletteRules(theme: Theme): string {
  const strength = scaleLinear<string>().domain([-COLOR_STEPS, 0, COLOR_STEPS]).range(strengths[theme]);
  const surprise = scaleLinear<string>().domain([0, COLOR_STEPS]).range(surprises[theme]);
  const rules: string[] = [];
  for (let step = -COLOR_STEPS; step <= COLOR_STEPS; step++)
    rules.push(`.z${step}{${colours(strength(step))}}`);
  for (let step = 0; step <= COLOR_STEPS; step++)
    rules.push(`:root:has(#by-surprise:checked) .p${step},.scale .p${step}{${colours(surprise(step))}}`);
  return rules.join('\n');
}

/** A background `rgb(r, g, b)` and black or white on it, whichever is easier to read. */
function colours(background: string): string {
  return `background:${background};color:${luminance(background) > 0.179 ? '#000' : '#fff'}`;
}

/** Relative luminance (WCAG 2); at 0.179 black and white are equally easy to read. */
function luminance(colour: string): number {
  const [red, green, blue] = (colour.match(/\d+/g) ?? []).map((part) => {
    const value = Number(part) / 255;
    return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red! + 0.7152 * green! + 0.0722 * blue!;
}
