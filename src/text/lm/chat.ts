/** @file A conversation as models read it, by the chat template that came with a tokenizer. */
import type { PreTrainedTokenizer } from '@xenova/transformers';
import { UserError } from '../../core/errors.js';
import { withTimeLimit } from '../../core/time-limit.js';
import { oneLine } from './tokenizer-file.js';

/** What one side of a conversation says. */
export interface ChatTurn {
  readonly role: 'user' | 'assistant';
  readonly content: string;
}

/** Milliseconds for one conversation: a template is a program. */
const TIME_LIMIT = 2000;

/**
 * @param answers - the model's turn is opened at the end
 * @throws UserError when there is no template, or it refuses the conversation
 */
export function chatText(
  tokenizer: PreTrainedTokenizer,
  conversation: readonly ChatTurn[],
  answers: boolean,
): string {
  if (!tokenizer.chat_template)
    throw new UserError(
      'this tokenizer has no chat template: tokenizer_config.json has no "chat_template", and there is no chat_template.jinja',
    );
  const late = () => new UserError('the chat template of this tokenizer does not end');
  const options = { tokenize: false, add_generation_prompt: answers } as const;
  try {
    return withTimeLimit(TIME_LIMIT, () => tokenizer.apply_chat_template([...conversation], options), late);
  } catch (error) {
    if (error instanceof UserError) throw error;
    throw new UserError(
      `the chat template of this tokenizer cannot be used: ${oneLine((error as Error).message)}`,
      { cause: error },
    );
  }
}
