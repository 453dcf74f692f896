import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { errorData, launcherErrorCodes } from '../../electron/launcher/errors.ts';
import { root } from './support.ts';

describe('error codes', () => {
  it('ux 17: docs/errors.md lists exactly the codes that exist', async () => {
    const text = await readFile(path.join(root, 'docs', 'errors.md'), 'utf8');
    const documented = [...text.matchAll(/^\| ([A-Z_]+) \|/gm)].map((found) => found[1]);
    expect(documented).toEqual([...launcherErrorCodes]);
  });

  it('never lets a stack cross a border', () => {
    const data = errorData(new Error('boom'));
    expect(data).toMatchObject({ code: 'INTERNAL', why: 'boom' });
    expect(JSON.stringify(data)).not.toContain('errors.test');
  });
});
