// The packaged app (electron-builder.yml, packaging/, with the Electron of the window tests) as a Debian package, taken apart far away from
// the sources: what lies where, its command line, and the journey of a user in its window, with engines started out of the package.
import { type ChildProcess, execFileSync, spawnSync } from 'node:child_process';
import {
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readFuses, setFuse } from '../../scripts/fuses.mjs';
import { root } from './browser.ts';
import { appEnded, type Desktop, desktopMissing, launchDesktop, openDisplay, startAndLoseLeader } from './desktop.ts';
import { newWorkspace, processesOf } from './real-launcher.ts';

const COMMAND_MS_MAX = 60_000;
const HOME = '/opt/Muster';

const missing =
  desktopMissing() ?? (existsSync('/usr/bin/dpkg-deb') ? null : 'needs dpkg-deb to make and open a Debian package');
if (missing !== null) console.warn(`tests of the packaged app are left out: ${missing}`);

const { version } = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8')) as { version: string };

/** The fuses that electron-builder.yml asks for: the flat block below `electronFuses:`. */
function wantedFuses(): Readonly<Record<string, boolean>> {
  const [, block = ''] = readFileSync(path.join(root, 'electron-builder.yml'), 'utf8').split(/^electronFuses:\n/m);
  const own = block.split(/^\S/m)[0] ?? '';
  return Object.fromEntries(
    [...own.matchAll(/^ {2}(\w+): (true|false)$/gm)].map((line) => [line[1], line[2] === 'true']),
  );
}

/** Width and height of a PNG. */
function pngSize(file: string): readonly number[] {
  const bytes = readFileSync(file);
  expect(bytes.subarray(1, 4).toString()).toBe('PNG');
  return [bytes.readUInt32BE(16), bytes.readUInt32BE(20)];
}

describe.skipIf(missing !== null)(
  missing === null ? 'the packaged app' : `the packaged app (left out: ${missing})`,
  () => {
    let desktop: Desktop | null = null;
    let server: ChildProcess | null = null;
    let display = '';
    let deb = '';
    const workspace = newWorkspace();
    const unpacked = mkdtempSync(path.join(os.tmpdir(), 'muster-deb-'));
    const inPackage = (file: string): string => path.join(unpacked, file);
    const executable = inPackage(`${HOME}/muster`);
    /** As a user calls it: by a link in a folder of the path. */
    const command = path.join(unpacked, 'muster');
    const muster = (...args: readonly string[]): string => {
      const { MUSTER_ENGINE: _engine, MUSTER_UI: _ui, ...rest } = process.env;
      const run = spawnSync(command, args, {
        cwd: unpacked,
        env: { ...rest, MUSTER_HOME: workspace },
        encoding: 'utf8',
        timeout: COMMAND_MS_MAX,
      });
      expect(run.status, `muster ${args.join(' ')}: ${run.stdout}${run.stderr}`).toBe(0);
      return run.stdout.trim();
    };

    beforeAll(async () => {
      const made = spawnSync(process.execPath, ['scripts/package.mjs', '--test-electron', 'deb'], {
        cwd: root,
        encoding: 'utf8',
      });
      if (made.status !== 0) throw new Error(`scripts/package.mjs --test-electron deb failed:\n${made.stderr}`);
      deb = made.stdout.trim().split('\n').at(-1) ?? '';
      execFileSync('dpkg-deb', ['--extract', deb, unpacked]);
      symlinkSync(inPackage(`${HOME}/resources/bin/muster`), command);
      ({ display, server } = await openDisplay());
    });
    afterAll(async () => {
      await desktop?.application.close();
      server?.kill();
      for (const folder of [workspace, unpacked]) rmSync(folder, { recursive: true, force: true });
    });

    it('is a Debian package of root, older than the release of this version, that names what it needs', () => {
      const field = (name: string): string => execFileSync('dpkg-deb', ['--field', deb, name]).toString().trim();
      expect([field('Package'), field('Version')]).toEqual(['muster', `${version}~test`]);
      expect(spawnSync('dpkg', ['--compare-versions', `${version}~test`, 'lt', version]).status).toBe(0);
      expect(field('Depends')).toContain('libgtk-3-0');
      const entries = execFileSync('dpkg-deb', ['--contents', deb], { encoding: 'utf8' }).trim().split('\n');
      expect(entries.filter((entry) => !/^[-dl]\S{9} root\/root /.test(entry))).toEqual([]);
      const writable = entries.filter((entry) => /^[-d]....w|^[-d].......w/.test(entry));
      expect(writable).toEqual([]);
      const withRights = entries.filter((entry) => /^-..s/.test(entry)).map((entry) => entry.split(' ').at(-1));
      expect(withRights).toEqual([`.${HOME}/chrome-sandbox`]);
    });

    it('has every fuse as electron-builder.yml sets it, its code in the archive and the engine beside it', () => {
      const wanted = wantedFuses();
      expect(Object.keys(wanted).length).toBeGreaterThanOrEqual(8);
      expect(readFuses(executable)).toMatchObject(wanted);
      expect(existsSync(inPackage(`${HOME}/resources/app.asar`))).toBe(true);
      expect(existsSync(inPackage(`${HOME}/resources/app.asar.unpacked/dist/engine/main.js`))).toBe(true);
      expect(existsSync(inPackage(`${HOME}/resources/app`))).toBe(false);
    });

    it('brings a menu entry with its icon in every size, and the command muster', () => {
      const entry = readFileSync(inPackage('usr/share/applications/muster.desktop'), 'utf8');
      const keys = new Map([...entry.matchAll(/^(\w+)=(.*)$/gm)].map((line) => [line[1], line[2]]));
      expect(keys.get('Exec')).toBe(`${HOME}/muster`);
      expect(lstatSync(inPackage(keys.get('Exec') ?? '')).mode & 0o111).toBe(0o111);
      const icons = inPackage('usr/share/icons/hicolor');
      for (const size of [16, 24, 32, 48, 64, 128, 256, 512])
        expect(pngSize(path.join(icons, `${size}x${size}/apps/${keys.get('Icon')}.png`))).toEqual([size, size]);
      expect(readFileSync(path.join(icons, `scalable/apps/${keys.get('Icon')}.svg`), 'utf8')).toContain('<svg');
      const link = readlinkSync(inPackage('usr/bin/muster'));
      expect(inPackage(link)).toBe(readlinkSync(command));
      expect(readFileSync(inPackage('usr/share/doc/muster/copyright'), 'utf8')).toContain('Apache License');
    });

    it('has a command line that needs no other Node: version, a cluster in the background, its page, its end', async () => {
      expect(muster('--version')).toBe(version);
      const up = JSON.parse(muster('up', 'demo', '--nodes', '1', '--throw-away', '--detach', '--json')) as {
        readonly nodes: readonly { readonly pid: number; readonly state: string }[];
      };
      expect(up.nodes.map((node) => node.state)).toEqual(['ready']);
      expect(readlinkSync(`/proc/${up.nodes[0]?.pid}/exe`)).toBe(executable);
      const { url, pid } = JSON.parse(readFileSync(path.join(workspace, 'control.json'), 'utf8')) as {
        readonly url: string;
        readonly pid: number;
      };
      expect(readlinkSync(`/proc/${pid}/exe`)).toBe(executable);
      expect(await (await fetch(`${url}/`)).text()).toContain('<title>Muster</title>');
      muster('down', 'demo');
      await expect.poll(() => processesOf(workspace), { timeout: COMMAND_MS_MAX }).toEqual([]);
      await expect.poll(() => existsSync(`/proc/${pid}`), { timeout: COMMAND_MS_MAX }).toBe(false);
    });

    it('starts a cluster that its command line sees, survives a kill, and quit leaves no process', async () => {
      // Only for the driver of this test, in this copy: shipped packages cannot be inspected.
      setFuse(executable, 'enableNodeCliInspectArguments', true);
      const config = path.join(workspace, 'config/Muster');
      mkdirSync(config, { recursive: true });
      writeFileSync(path.join(config, 'window.json'), '{"x":9000,"y":9000,"width":1000,"height":700}');
      desktop = await launchDesktop({ executable, args: [] }, workspace, display);
      const { application, page, faults } = desktop;
      const about = await application.evaluate(({ app }) => [app.isPackaged, app.getName(), app.getVersion()]);
      expect(about).toEqual([true, 'Muster', version]);
      const shell = await application.evaluate(({ app, BrowserWindow, nativeImage }) => ({
        place: BrowserWindow.getAllWindows()[0]?.getBounds(),
        icon: nativeImage.createFromPath(`${app.getAppPath()}/dist/icons/png/256x256.png`).getSize().width,
      }));
      expect(shell.place?.x, 'on a screen, though the last one is gone').toBeLessThan(1400);
      expect(shell.icon).toBe(256);
      const told = await page.evaluate(() =>
        (globalThis as unknown as { muster: { call(method: string, args: unknown): unknown } }).muster.call(
          'about',
          [],
        ),
      );
      expect(told).toMatchObject({ ok: { version, command: readlinkSync(command) } });
      await startAndLoseLeader(page);
      expect(processesOf(`${workspace}/clusters`).length).toBe(2);
      const { nodes } = JSON.parse(muster('status', '--json')) as { readonly nodes: readonly { state: string }[] };
      expect(nodes.map((node) => node.state).sort()).toEqual(['ready', 'ready', 'stopped']);
      expect(faults).toEqual([]);
      const ended = appEnded(application);
      await application.evaluate(({ app }) => app.quit());
      await ended;
      desktop = null;
      expect(processesOf(workspace)).toEqual([]);
    });
  },
);
