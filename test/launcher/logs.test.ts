import { readdir, readFile, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { TimelineEvent } from '../../electron/contract/history.ts';
import type { LogLine } from '../../electron/contract/model.ts';
import {
  FILE_BYTES_MAX,
  LINE_CHARS_MAX,
  NodeLog,
  parseLine,
  PUSH_LINES_MAX,
  RING_LINES_MAX,
} from '../../electron/launcher/logs.ts';
import { Timeline } from '../../electron/launcher/timeline.ts';
import { T0 } from './builders.ts';
import { removeDir, temporaryDir } from './support.ts';

let dir = '';
let pushed: LogLine[] = [];
beforeEach(async () => {
  dir = await temporaryDir();
  pushed = [];
});
afterEach(() => removeDir(dir));

const fileOf = (): string => path.join(dir, 'logs', 'node-1.log');
const logOf = (): NodeLog => new NodeLog('node-1', fileOf(), (lines) => pushed.push(...lines));

describe('log of a node (ux 7)', () => {
  it("parses the engine's JSON lines and shows anything else as it is", () => {
    const line = JSON.stringify({
      ts: '2026-01-02T03:04:05.006Z',
      level: 'warn',
      node: 'node-1',
      context: 'default',
      code: 'X',
      text: 'hello',
    });
    expect(parseLine(line, T0)).toEqual({
      at: Date.parse('2026-01-02T03:04:05.006Z'),
      level: 'warn',
      context: 'default',
      code: 'X',
      text: 'hello',
    });
    expect(parseLine('{"broken', T0)).toEqual({ at: T0, level: 'raw', context: null, code: null, text: '{"broken' });
    expect(parseLine('(node:1) Warning', T0).level).toBe('raw');
  });

  it('B11 marks what looks like trouble while a cluster forms, with its reason, and nothing once it had a leader', async () => {
    const log = logOf();
    const say = (code: string, text: string, context: string | null = null): void =>
      log.append(`${JSON.stringify({ level: 'info', context, code, text })}\n`, T0);
    const harmless = async (): Promise<readonly (string | undefined)[]> =>
      (await log.tail(100)).filter((line) => line.harmless !== undefined).map((line) => line.text);
    log.mark('started (pid 1)', T0);
    say('DATA_FOLDER_CREATED', 'new data folder');
    say('JOIN_RETRY', 'waiting for the first node');
    say('RAFT_STATE', 'follower, term 0, leader none', '_admin');
    say('RAFT_STATE', 'follower, term 1, leader node-1', '_admin');
    say('RAFT_STATE', 'candidate, term 1, leader none', 'default');
    say('RAFT_STATE', 'leader, term 1, leader node-2', 'default');
    const forming = ['waiting for the first node', 'follower, term 0, leader none', 'candidate, term 1, leader none'];
    expect(await harmless()).toEqual(forming);
    expect((await log.tail(100))[2]?.harmless).toBe('the first node is not up yet; this one asks again by itself');
    say('PEER_LINK_DOWN', 'link to node-1 lost: closed');
    say('RAFT_STATE', 'candidate, term 2, leader none', 'default');
    log.mark('ended', T0);
    log.mark('started (pid 2)', T0);
    say('RAFT_STATE', 'candidate, term 3, leader none', 'default');
    say('JOIN_RETRY', 'with data it waits for members that should be there');
    expect(await harmless(), 'neither later nor after a restart').toEqual(forming);
    await log.flush();
    const again = logOf();
    expect((await again.tail(100)).filter((line) => line.harmless !== undefined).map((line) => line.text)).toEqual(
      forming,
    );
  });

  it('joins pieces to lines, numbers them, and keeps the file byte for byte', async () => {
    const log = logOf();
    log.append('first li', T0);
    log.append('ne\nsecond line\nrest', T0);
    await log.flush();
    expect((await log.tail(10)).map((line) => [line.seq, line.text])).toEqual([
      [1, 'first line'],
      [2, 'second line'],
    ]);
    expect(pushed).toHaveLength(2);
    expect(await readFile(fileOf(), 'utf8')).toBe('first line\nsecond line\nrest');
  });

  it('cuts an endless line in memory and stays bounded', async () => {
    const log = logOf();
    log.append('x'.repeat(LINE_CHARS_MAX * 3), T0);
    expect((await log.tail(10)).every((line) => line.text.length <= LINE_CHARS_MAX)).toBe(true);
    await log.flush();
  });

  it('keeps the newest lines in memory and tells subscribers what it skipped', async () => {
    const log = logOf();
    log.append('line\n'.repeat(RING_LINES_MAX + 3000), T0);
    await log.flush();
    expect((await log.tail(100_000)).length).toBeLessThanOrEqual(RING_LINES_MAX + 1000);
    expect(pushed).toHaveLength(PUSH_LINES_MAX + 1);
    expect(pushed[0]?.text).toBe(`… ${RING_LINES_MAX + 3000 - PUSH_LINES_MAX} lines skipped`);
  });

  it('rotates files at 10 MB and keeps the older one', async () => {
    const log = logOf();
    log.append('before\n', T0);
    await log.flush();
    await writeFile(fileOf(), 'x'.repeat(FILE_BYTES_MAX));
    log.append('after\n', T0);
    await log.flush();
    expect((await readdir(path.dirname(fileOf()))).sort()).toEqual(['node-1.log', 'node-1.log.1']);
    expect(await readFile(fileOf(), 'utf8')).toBe('after\n');
    expect((await stat(`${fileOf()}.1`)).size).toBe(FILE_BYTES_MAX);
  });

  it('launchers 3.6: shows the last lines of the file after a restart of the launcher', async () => {
    const before = logOf();
    before.mark('started (pid 1)', T0);
    before.append('{"text":"from before","level":"info"}\n', T0);
    await before.flush();
    expect((await logOf().tail(10)).map((line) => [line.level, line.text])).toEqual([
      ['mark', 'started (pid 1)'],
      ['info', 'from before'],
    ]);
  });

  it('stays alive and says so when the file cannot be written', async () => {
    await writeFile(path.join(dir, 'logs'), 'a file where the folder should be');
    const log = logOf();
    log.append('kept in memory\n', T0);
    await log.flush();
    const lines = await log.tail(10);
    expect(lines[0]?.text).toBe('kept in memory');
    expect(lines[1]?.code).toBe('LOG_NOT_WRITTEN');
  });
});

describe('timeline on disk', () => {
  const event = (at: number, text: string): TimelineEvent => ({
    at,
    cluster: 'dev',
    kind: 'node',
    subject: 'node-1',
    text,
  });

  it('answers events since a moment, oldest first, also after a restart, and skips broken lines', async () => {
    const file = path.join(dir, 'timeline.jsonl');
    const seen: string[] = [];
    const timeline = new Timeline(file, (entry) => seen.push(entry.text));
    timeline.add(event(T0, 'one'));
    timeline.add(event(T0 + 5, 'two'));
    await timeline.close();
    await writeFile(file, `${await readFile(file, 'utf8')}{"torn`);
    const again = new Timeline(file, () => undefined);
    expect((await again.since(T0 + 1)).map((entry) => entry.text)).toEqual(['two']);
    expect((await again.since(0)).map((entry) => entry.text)).toEqual(['one', 'two']);
    expect(seen).toEqual(['one', 'two']);
  });

  it('UX-10 a note stands at its moment, also when it was written later, and damaged script lines are left out', async () => {
    const file = path.join(dir, 'timeline.jsonl');
    const timeline = new Timeline(file, () => undefined);
    timeline.add(event(T0, 'one'));
    timeline.add({ ...event(T0 + 5, 'two'), script: ['heal all'] });
    timeline.add({ ...event(T0 + 2, 'here the app lost its handler'), kind: 'note', mark: 'note' });
    timeline.add({ ...event(T0 + 9, 'three'), script: { no: 'list' } as never });
    const found = await timeline.since(0);
    expect(found.map(({ text, script }) => [text, script])).toEqual([
      ['one', undefined],
      ['here the app lost its handler', undefined],
      ['two', ['heal all']],
      ['three', undefined],
    ]);
    await timeline.close();
  });
});
