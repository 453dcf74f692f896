import { readdir, readFile } from 'node:fs/promises';
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

  it('ux 17: docs/errors.md names every code that only the window gives', async () => {
    const text = await readFile(path.join(root, 'docs', 'errors.md'), 'utf8');
    const files = await readdir(path.join(root, 'renderer'), { recursive: true });
    const sources = files.filter((file) => /\.tsx?$/.test(file));
    const texts = await Promise.all(sources.map((file) => readFile(path.join(root, 'renderer', file), 'utf8')));
    const codes = texts.flatMap((source) =>
      [...source.matchAll(/\bcode: '([A-Z_]+)'/g)].map((found) => found[1] ?? ''),
    );
    expect(codes.length).toBeGreaterThan(3);
    expect(codes.filter((code) => !text.includes(code))).toEqual([]);
  });

  it('never lets a stack cross a border', () => {
    const data = errorData(new Error('boom'));
    expect(data).toMatchObject({ code: 'INTERNAL', why: 'boom' });
    expect(JSON.stringify(data)).not.toContain('errors.test');
  });
});
