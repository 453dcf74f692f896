// The command `muster` of a user: made, told, taken away, and never over a file of somebody else. Each test has a home of its own.
import { chmod, lstat, mkdir, readFile, readlink, symlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { CommandLinkWish } from '../../electron/contract/command-link.ts';
import { changeCommandLink, readCommandLink } from '../../electron/launcher/command-link.ts';
import { builtEngine, commandOf } from '../../electron/launcher/installation.ts';
import { cli, removeCliBundle, removeDir, temporaryDir } from './support.ts';

vi.setConfig({ testTimeout: 30_000 });
let home = '';
let bin = '';
let link = '';
let environment: NodeJS.ProcessEnv = {};
/** An installation from sources in a folder of its own. */
let sources = '';
let engine = '';

async function program(file: string, text = '#!/bin/sh\n'): Promise<string> {
  await mkdir(path.dirname(file), { recursive: true });
  await writeFile(file, text);
  await chmod(file, 0o755);
  return file;
}

beforeEach(async () => {
  home = await temporaryDir();
  bin = path.join(home, '.local', 'bin');
  link = path.join(bin, 'muster');
  environment = { HOME: home, PATH: path.join(home, 'empty'), SHELL: '/bin/bash' };
  sources = path.join(home, 'src', 'muster');
  engine = builtEngine(sources);
  await program(path.join(sources, 'scripts', 'muster.mjs'));
});
afterEach(async () => {
  vi.unstubAllEnvs();
  await removeDir(home);
});
afterAll(removeCliBundle);

const look = (more: Partial<Parameters<typeof readCommandLink>[0]> = {}) =>
  readCommandLink({ enginePath: engine, environment, platform: 'linux', ...more });
const change = (wish: CommandLinkWish) =>
  changeCommandLink({ enginePath: engine, environment, platform: 'linux' }, wish);
const refusal = (wish: CommandLinkWish) =>
  change(wish).then(
    () => 'done',
    (error: { data: { code: string } }) => error.data.code,
  );

describe('the command muster', () => {
  it('UX-13: is installed from sources, says what is missing on the PATH, and is removed', async () => {
    expect(await look()).toMatchObject({ state: 'absent', leadsTo: null, pathLine: null, next: [] });
    const made = await change('install');
    const line = 'export PATH="$HOME/.local/bin:$PATH"';
    expect(made).toMatchObject({ state: 'installed', folderOnPath: false, found: null, pathLine: line });
    expect(made.next[0]).toContain(`Add to ~/.bashrc: ${line}`);
    expect(await readlink(link)).toBe(path.join(sources, 'scripts', 'muster.mjs'));
    expect(await change('install')).toEqual(made);
    environment = { ...environment, PATH: bin };
    expect(await look()).toMatchObject({ state: 'installed', folderOnPath: true, pathLine: null, next: [] });
    expect(commandOf(engine, 'linux', environment)).toBe('muster');
    expect((await change('remove')).state).toBe('absent');
    expect(await change('remove')).toMatchObject({ state: 'absent', found: null });
  });

  it('UX-13: names the start file of the shell that is used', async () => {
    await change('install');
    for (const [SHELL, step] of [
      ['/usr/bin/zsh', 'Add to ~/.zshrc: export PATH'],
      ['/usr/bin/fish', 'Run once: fish_add_path ~/.local/bin'],
      ['', 'Add to ~/.profile: export PATH'],
    ] as const) {
      expect((await look({ environment: { ...environment, SHELL } })).next[0]).toContain(step);
    }
  });

  it('UX-13: a file, a folder or a link of somebody else stays, whatever is asked', async () => {
    await mkdir(bin, { recursive: true });
    await writeFile(link, 'mine');
    expect(await look()).toMatchObject({ state: 'foreign', leadsTo: null });
    for (const wish of ['install', 'replace', 'remove'] as const) {
      expect(await refusal(wish)).toBe('COMMAND_LINK_REFUSED');
    }
    expect(await readFile(link, 'utf8')).toBe('mine');
    await removeDir(link);
    const tool = await program(path.join(home, 'tools', 'muster'));
    await symlink(tool, link);
    expect(await look()).toMatchObject({ state: 'foreign', leadsTo: tool });
    for (const wish of ['install', 'replace', 'remove'] as const) {
      expect(await refusal(wish)).toBe('COMMAND_LINK_REFUSED');
    }
    expect(await readlink(link)).toBe(tool);
    await removeDir(link);
    await mkdir(link);
    expect(await refusal('replace')).toBe('COMMAND_LINK_REFUSED');
    expect((await lstat(link)).isDirectory()).toBe(true);
  });

  it('UX-13: a link to another Muster, even one that is gone, is replaced only when that is asked', async () => {
    const other = path.join(home, 'old', 'muster', 'scripts', 'muster.mjs');
    await mkdir(bin, { recursive: true });
    await symlink(other, link);
    expect(await look()).toMatchObject({ state: 'another', leadsTo: other });
    expect([await refusal('install'), await refusal('remove')]).toEqual([
      'COMMAND_LINK_REFUSED',
      'COMMAND_LINK_REFUSED',
    ]);
    expect(await readlink(link)).toBe(other);
    expect((await change('replace')).state).toBe('installed');
    expect(await readlink(link)).toBe(path.join(sources, 'scripts', 'muster.mjs'));
  });

  it('UX-13: a package that brings the command needs no link; one before it on the PATH is told', async () => {
    const resources = path.join(home, 'opt', 'Muster', 'resources');
    const own = await program(path.join(resources, 'bin', 'muster'));
    engine = builtEngine(path.join(resources, 'app.asar'));
    const usr = path.join(home, 'usr', 'bin');
    await mkdir(usr, { recursive: true });
    await symlink(own, path.join(usr, 'muster'));
    environment = { ...environment, PATH: usr };
    expect(await change('install')).toMatchObject({
      state: 'provided',
      found: { file: path.join(usr, 'muster'), own: true },
    });
    expect(commandOf(engine, 'linux', environment)).toBe('muster');
    expect(await refusal('remove')).toBe('COMMAND_LINK_REFUSED');

    // Where the package has put none, as from an archive, the link leads into its resources; what a terminal starts before it is said.
    const first = await program(path.join(home, 'first', 'muster'));
    environment = { ...environment, PATH: [path.dirname(first), bin].join(path.delimiter) };
    const made = await change('install');
    expect(made).toMatchObject({ state: 'installed', target: own, found: { file: first, own: false } });
    expect(made.sentence).toContain(`A terminal starts ${first} instead`);
    expect(commandOf(engine, 'linux', environment)).toBe(own);
  });

  it('UX-13: where a link would not last or is of no use, it says what to do instead', async () => {
    const mount = path.join(home, 'mount');
    await program(path.join(mount, 'resources', 'bin', 'muster'));
    const inImage = builtEngine(path.join(mount, 'resources', 'app.asar'));
    const APPIMAGE = path.join(home, 'Muster.AppImage');
    const image = await look({ enginePath: inImage, environment: { ...environment, APPDIR: mount, APPIMAGE } });
    expect([image.state, image.next[0]]).toEqual(['impossible', `Take it apart once: ${APPIMAGE} --appimage-extract`]);
    const onWindows = await look({ platform: 'win32' });
    expect([onWindows.state, onWindows.next[0]]).toEqual(['impossible', `In ${sources}: npm link`]);
    const moved = await look({ enginePath: builtEngine('/Volumes/Muster/Muster.app/Contents/Resources/app.asar') });
    expect([moved.state, moved.next[0]]).toEqual(['impossible', expect.stringContaining('Applications')]);
    const gone = await look({ enginePath: builtEngine(path.join(home, 'nowhere')) });
    expect([gone.state, gone.sentence]).toEqual(['impossible', expect.stringContaining('There is no program')]);
  });

  it('UX-13: a folder that takes no link says why', async () => {
    await writeFile(path.join(home, '.local'), 'a file');
    await expect(change('install')).rejects.toMatchObject({
      data: {
        code: 'COMMAND_LINK_REFUSED',
        what: `The command ${link} was not changed.`,
        why: expect.stringContaining('.local'),
      },
    });
  });

  it('UX-18: muster install-cli makes, tells and removes the link; two wishes at once are refused', async () => {
    vi.stubEnv('HOME', home);
    const muster = (...args: readonly string[]) => cli(path.join(home, 'workspace'), 'install-cli', ...args);
    expect((await muster('--check', '--json')).json).toMatchObject({ state: 'absent', file: link });
    const made = await muster();
    expect([made.code, made.out]).toEqual([0, expect.stringContaining(`The command muster is installed: ${link}.`)]);
    expect(await readlink(link)).toMatch(/scripts\/muster\.mjs$/);
    expect((await muster('--check', '--remove')).code).toBe(2);
    expect((await muster('--remove')).out).toContain('not installed');
    await writeFile(link, 'mine');
    const refused = await muster('--replace', '--json');
    expect([refused.code, refused.json]).toMatchObject([1, { error: { code: 'COMMAND_LINK_REFUSED' } }]);
  });
});
