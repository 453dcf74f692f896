import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { runScript, runScriptFile, titleOf } from './script-runner.ts';

const folder = new URL('./scripts/', import.meta.url);
const files = readdirSync(folder).filter((name) => name.endsWith('.txt'));
const scripts = files.map((name) => {
  const file = new URL(name, folder);
  return { name, file, title: titleOf(readFileSync(file, 'utf8')) };
});

describe('scripts', () => {
  it.each(scripts)('$title ($name)', ({ file }) => {
    const { expected, actual } = runScriptFile(file);
    expect(actual).toBe(process.env['MUSTER_UPDATE_SCRIPTS'] === '1' ? actual : expected);
  });

  it('raft-tests S2 there are at least 60, each with a title of its own', () => {
    expect(new Set(scripts.map(({ title }) => title)).size).toBe(files.length);
    expect(scripts.filter(({ title }) => title.length < 20)).toEqual([]);
    expect(files.length).toBeGreaterThanOrEqual(60);
  });

  it('another output than the one written down is told', () => {
    const { expected, actual } = runScript('# title\nnodes a\n----\nsomething else\n\n');
    expect(actual).not.toBe(expected);
    expect(() => runScript('# title\nnodes a\nvanish a\n----\n\n')).toThrow('no command vanish');
    expect(() => runScript('# title\nnodes a\n')).toThrow('without ----');
  });
});
