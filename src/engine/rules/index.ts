/** @file One rule a kernel. A kernel named in `TracedKernels` and missing here does not compile. */
import { elementwiseRules } from './elementwise.js';
import type { Rules } from './kernels.js';
import { linearRules } from './linear.js';
import { shapeRules } from './shape.js';
import { visionRules } from './vision.js';

export const rules: Rules = { ...elementwiseRules, ...shapeRules, ...linearRules, ...visionRules };
