/** @file The Hugging Face hub's own library, loaded when it is first asked: who names a model of the hub need not reach it. */
import { createRequire } from 'node:module';
import type * as Hub from '@huggingface/hub';
import { once } from '../core/once.js';

export const hubLibrary = once((): typeof Hub => createRequire(import.meta.url)('@huggingface/hub'));
