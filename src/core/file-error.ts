/** @file What the file system throws, as sentences. */
import { UserError } from './errors.js';

const reasons: Record<string, string> = {
  EACCES: 'permission denied; choose a folder you may write to',
  EPERM: 'not permitted; choose a folder you may write to',
  EROFS: 'the file system is read-only; choose another folder',
  ENOSPC: 'the disk is full; free some space',
  EDQUOT: 'your disk quota is used up; free some space',
  ENOTDIR: 'a part of that path is a file, not a folder; choose another path',
  EEXIST: 'there is a file of that name already; choose another path',
  EISDIR: 'that is a folder, not a file; choose another path',
  ENOENT: 'there is no such file or folder; check the path',
  EFBIG: 'the file is larger than this system allows; write to another place',
  EIO: 'the device does not answer; choose another place',
  ENAMETOOLONG: 'the name is too long; choose a shorter one',
  ELOOP: 'it is a loop of symbolic links; check the path',
  EMFILE: 'too many files are open; close some programs',
};

/**
 * Turns what the file system threw into a `UserError` of one sentence; anything else comes back unchanged.
 *
 * @param action - what was tried, as it continues "could not …": `write /tmp/x`
 */
export function fileError(error: unknown, action: string): unknown {
  const code = (error as NodeJS.ErrnoException | null)?.code;
  const reason = code === undefined ? undefined : reasons[code];
  return reason === undefined ? error : new UserError(`could not ${action}: ${reason}`, { cause: error });
}
