/** @file One rule a kernel. A kernel named in `TracedKernels` and missing here does not compile. */
import { convolutionRules } from './convolution.js';
import { elementwiseRules } from './elementwise.js';
import type { Rules } from './kernels.js';
import { linearRules } from './linear.js';
import { normalizationRules } from './normalization.js';
import { poolingRules } from './pooling.js';
import { resizingRules } from './resizing.js';
import { shapeRules } from './shape.js';

export const rules: Rules = {
  ...elementwiseRules,
  ...shapeRules,
  ...linearRules,
  ...convolutionRules,
  ...poolingRules,
  ...resizingRules,
  ...normalizationRules,
};
