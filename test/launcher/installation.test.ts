// Where an installation has its engine and its command: sources, a package, and a package on a path with spaces.
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { builtEngine, commandOf } from '../../electron/launcher/installation.ts';

describe('an installation', () => {
  it('from sources has its engine in dist and is called through npm', () => {
    const engine = builtEngine(path.resolve('/home/ada/muster'));
    expect(engine).toBe(path.resolve('/home/ada/muster/dist/engine/main.js'));
    expect(commandOf(engine)).toBe('npx muster');
  });

  it('from a package has its engine beside the archive and its command in the resources', () => {
    const engine = builtEngine(path.resolve('/srv/Muster/resources/app.asar'));
    expect(engine).toBe(path.resolve('/srv/Muster/resources/app.asar.unpacked/dist/engine/main.js'));
    expect(commandOf(engine, 'linux')).toBe(path.resolve('/srv/Muster/resources/bin/muster'));
    expect(commandOf(engine, 'win32')).toBe(path.resolve('/srv/Muster/resources/bin/muster.cmd'));
  });

  it('on a path with spaces gives a command that can be pasted', () => {
    const engine = builtEngine(path.resolve('/srv/My Apps/resources/app.asar'));
    expect(commandOf(engine, 'darwin')).toBe(`"${path.resolve('/srv/My Apps/resources/bin/muster')}"`);
  });
});
