// The palette knows every command of the command line.
import { afterAll, expect, it } from 'vitest';
import { cliVerbs } from '../../electron/contract/cli-verbs.ts';
import { cli, removeCliBundle, removeDir, temporaryDir } from './support.ts';

afterAll(removeCliBundle);

it('UX-14 the verbs of the palette are those of muster --help', async () => {
  const home = await temporaryDir();
  const { out } = await cli(home, '--help');
  await removeDir(home);
  const commands = out.slice(out.indexOf('Commands:')).matchAll(/^ {2}([a-z][a-z-]*)\b/gm);
  expect([...commands].map((found) => found[1]).sort()).toEqual(Object.keys(cliVerbs).sort());
}, 30_000);
