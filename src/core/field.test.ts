import { expect, it } from 'vitest';
import { field, renameFields } from './field.js';

it('marks names of fields, which are replaced; other words stay', () => {
  const message = `${field('klTarget')} and klTarget, \`2 words\``;
  expect(renameFields(message, (name) => `<${name}>`)).toBe('<klTarget> and klTarget, `2 words`');
});
