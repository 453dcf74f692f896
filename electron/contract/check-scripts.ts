// Run-time checks of the calls of chaos.ts. Entry point: `scriptChecks`.
import type { ScriptApi } from './chaos.ts';
import { SCRIPT_CHARS_MAX } from './chaos-script.ts';
import { booleanOf, clusterNameOf, count, textOf, textUpTo } from './check-parts.ts';

export const SCRIPT_NAME_RULE = /^[a-z0-9][a-z0-9-]{0,39}$/;
const TITLE_CHARS_MAX = 200;

type ScriptChecks = { readonly [K in keyof ScriptApi]: (args: readonly unknown[]) => Parameters<ScriptApi[K]> };

const nameOf = textOf(
  SCRIPT_NAME_RULE,
  'the name of a script (1 to 40 lower-case letters, digits and dashes, starting with a letter or digit)',
);
const runIdOf = textOf(/^run-\d{1,9}$/, 'the id of a run (run-1)');
const scriptTextOf = textUpTo(SCRIPT_CHARS_MAX);

const nothing = (args: readonly unknown[]): [] => {
  count(args, 0, 0);
  return [];
};

const onlyName = (args: readonly unknown[]): [string] => {
  count(args, 1, 1);
  return [nameOf(args[0], 'name')];
};

export const scriptChecks: ScriptChecks = {
  scripts: nothing,
  scriptRuns: nothing,
  readScript: onlyName,
  removeScript: onlyName,
  saveScript(args) {
    count(args, 2, 2);
    return [nameOf(args[0], 'name'), scriptTextOf(args[1], 'text')];
  },
  runScript(args) {
    count(args, 3, 3);
    return [
      clusterNameOf(args[0], 'cluster'),
      textUpTo(TITLE_CHARS_MAX)(args[1], 'title'),
      scriptTextOf(args[2], 'text'),
    ];
  },
  stopScript(args) {
    count(args, 1, 1);
    return [runIdOf(args[0], 'id')];
  },
  record(args) {
    count(args, 2, 2);
    return [clusterNameOf(args[0], 'cluster'), booleanOf(args[1], 'on')];
  },
  recording(args) {
    count(args, 1, 1);
    return [clusterNameOf(args[0], 'cluster')];
  },
};
