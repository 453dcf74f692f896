// The command `muster` of a user: a link in ~/.local/bin to the command of this installation. A file that is not ours is never touched.
// Needs no workspace. Entry points: `readCommandLink`, `changeCommandLink`.
import { access, constants, lstat, mkdir, readlink, symlink, unlink } from 'node:fs/promises';
import { homedir } from 'node:os';
import path from 'node:path';
import type { CommandLinkView, CommandLinkWish } from '../contract/command-link.ts';
import { launcherError, messageOf } from './errors.ts';
import { foldersOnPath, leadsTo, musterOnPath, type OwnCommand, ownCommand } from './installation.ts';

export interface CommandLinkOptions {
  readonly enginePath: string;
  readonly environment?: NodeJS.ProcessEnv;
  readonly platform?: NodeJS.Platform;
}

type Told = Pick<CommandLinkView, 'state' | 'sentence' | 'next'>;

interface Place {
  readonly own: OwnCommand;
  readonly home: string;
  readonly file: string;
  readonly environment: NodeJS.ProcessEnv;
  readonly platform: NodeJS.Platform;
}

function placeOf({ enginePath, environment = process.env, platform = process.platform }: CommandLinkOptions): Place {
  const home = environment['HOME'] ?? homedir();
  const own = ownCommand(enginePath, platform);
  return { own, home, environment, platform, file: path.join(home, '.local', 'bin', 'muster') };
}

/** Never fails for what is there: that is a state. */
export async function readCommandLink(options: CommandLinkOptions): Promise<CommandLinkView> {
  const place = placeOf(options);
  const { own, file, environment } = place;
  const first = musterOnPath(environment);
  const found = first === null ? null : { file: first, own: leadsTo(first, own.file) };
  const folder = path.dirname(file);
  const folderOnPath = foldersOnPath(environment).some((one) => path.resolve(one) === folder || leadsTo(one, folder));
  const there = await whatIsAt(file);
  const installed = there !== 'nothing' && leadsTo(file, own.file);
  const told = installed ? toldOfOurs(place, found) : await toldOfOthers(place, found, there);
  const pathLine = installed && !folderOnPath ? pathLineOf(place) : null;
  const next =
    pathLine === null
      ? told.next
      : [
          `${folder} is not on the PATH that Muster was started with. ${startFileOf(place)}: ${pathLine}`,
          'Then open a new terminal.',
        ];
  const leads = typeof there === 'object' ? there.leadsTo : null;
  return { ...told, next, file, target: own.file, leadsTo: leads, folderOnPath, found, pathLine };
}

/**
 * Done already is done. Fails with COMMAND_LINK_REFUSED where a file is not ours, where no link can be made, or where the folder takes
 * none; then nothing is changed.
 */
export async function changeCommandLink(options: CommandLinkOptions, wish: CommandLinkWish): Promise<CommandLinkView> {
  const before = await readCommandLink(options);
  const { state, file, target } = before;
  if (wish === 'remove') {
    if (state === 'absent') return before;
    if (state !== 'installed') throw refused('not removed', before);
    await onDisk(file, () => unlink(file));
    return readCommandLink(options);
  }
  if (state === 'installed' || state === 'provided') return before;
  if (state === 'another' && wish === 'replace') await onDisk(file, () => unlink(file));
  else if (state !== 'absent') throw refused('not installed', before);
  await onDisk(file, async () => {
    await mkdir(path.dirname(file), { recursive: true });
    // Fails where something has come to be meanwhile.
    await symlink(target, file);
  });
  return readCommandLink(options);
}

const refused = (what: string, { sentence, next }: CommandLinkView) =>
  launcherError('COMMAND_LINK_REFUSED', `The command muster was ${what}.`, sentence, [...next]);

async function onDisk(file: string, work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    throw launcherError('COMMAND_LINK_REFUSED', `The command ${file} was not changed.`, messageOf(error), [
      `Look at the rights of ${path.dirname(file)}, then try again.`,
    ]);
  }
}

type There = 'nothing' | 'something' | { readonly leadsTo: string };

async function whatIsAt(file: string): Promise<There> {
  try {
    if (!(await lstat(file)).isSymbolicLink()) return 'something';
    return { leadsTo: path.resolve(path.dirname(file), await readlink(file)) };
  } catch {
    // Also where the folder cannot be read: making the link then says why.
    return 'nothing';
  }
}

/** Known by its place, for it may be gone: the sources' script, or the resources of a package. */
const isOfMuster = (file: string): boolean =>
  file.endsWith(path.join('/', 'scripts', 'muster.mjs')) || /[/\\]resources[/\\]bin[/\\]muster$/i.test(file);

function toldOfOurs({ file }: Place, found: CommandLinkView['found']): Told {
  const state = 'installed';
  const sentence = `The command muster is installed: ${file}.`;
  if (found === null || found.own) return { state, sentence, next: [] };
  return {
    state,
    sentence: `${sentence} A terminal starts ${found.file} instead, which comes earlier on the PATH.`,
    next: [`Put ${path.dirname(file)} before ${path.dirname(found.file)}, or remove ${found.file}.`],
  };
}

async function toldOfOthers(place: Place, found: CommandLinkView['found'], there: There): Promise<Told> {
  const { own, file } = place;
  if (found?.own === true) {
    const sentence = `The command muster is there already: ${found.file}.`;
    return { state: 'provided', sentence, next: [`What put ${found.file} there removes it.`] };
  }
  const impossible = await whyImpossible(place);
  if (impossible !== null) return { state: 'impossible', ...impossible };
  if (there === 'nothing') return { state: 'absent', sentence: 'The command muster is not installed.', next: [] };
  if (there === 'something' || !isOfMuster(there.leadsTo)) {
    const what = there === 'something' ? 'is not a link of Muster' : `leads to ${there.leadsTo}`;
    const sentence = `${file} ${what}, so it stays as it is.`;
    return { state: 'foreign', sentence, next: ['Move it away, then install.', `Or call ${own.file}`] };
  }
  return {
    state: 'another',
    sentence: `${file} leads to another Muster: ${there.leadsTo}.`,
    next: ['Let it lead here: muster install-cli --replace'],
  };
}

/** Null: a link can be made. */
async function whyImpossible(place: Place): Promise<Pick<Told, 'sentence' | 'next'> | null> {
  const { own, platform, environment } = place;
  if (platform === 'win32') {
    const next =
      own.kind === 'package'
        ? [`Add ${path.dirname(own.file)} to Path: Windows settings, "Edit environment variables for your account".`]
        : [`In ${own.root}: npm link`, 'Or there, without installing: npx muster'];
    return { sentence: 'On Windows the command is reached through Path, not through a link.', next };
  }
  const mounted = environment['APPDIR'];
  if (mounted !== undefined && own.file.startsWith(`${mounted}/`)) {
    const image = environment['APPIMAGE'] ?? 'the AppImage';
    return {
      sentence: 'This Muster runs out of an AppImage, whose files are gone when it ends.',
      next: [`Take it apart once: ${image} --appimage-extract`, 'Then link squashfs-root/resources/bin/muster.'],
    };
  }
  if (/^\/Volumes\/|\/AppTranslocation\//.test(own.file)) {
    return {
      sentence: 'This Muster runs from a place that does not last.',
      next: ['Move Muster into Applications and start it there, then install.'],
    };
  }
  try {
    await access(own.file, constants.X_OK);
    return null;
  } catch {
    return { sentence: `There is no program ${own.file}.`, next: ['Install Muster again.'] };
  }
}

const shellOf = ({ environment }: Place): string => path.basename(environment['SHELL'] ?? '');

function pathLineOf(place: Place): string {
  return shellOf(place) === 'fish' ? 'fish_add_path ~/.local/bin' : 'export PATH="$HOME/.local/bin:$PATH"';
}

function startFileOf(place: Place): string {
  switch (shellOf(place)) {
    case 'fish':
      return 'Run once';
    case 'zsh':
      return 'Add to ~/.zshrc';
    case 'bash':
      return `Add to ${place.platform === 'darwin' ? '~/.bash_profile' : '~/.bashrc'}`;
    default:
      return 'Add to ~/.profile';
  }
}
