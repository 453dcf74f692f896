// Reads scripts: commands, `----`, what they print, an empty line. Comments start with `#`; the first one is the title.
// `MUSTER_UPDATE_SCRIPTS=1 npx vitest run test/raft/scripts.test.ts` writes the output into the files: read what it wrote.
import { readFileSync, writeFileSync } from 'node:fs';
import type { Duty, Message, MemberId } from '../../engine/raft/types.ts';
import { config, entriesOfTerms } from './harness.ts';
import { configOf, ScriptWorld } from './script-world.ts';

type Command = (world: ScriptWorld, words: readonly string[]) => void;

/** `term=3` and the like, as numbers. */
function numbers(words: readonly string[]): Map<string, number> {
  const pairs = words.filter((word) => word.includes('=')).map((word) => word.split('='));
  return new Map(pairs.map(([name = '', value]) => [name, Number(value)]));
}

const first = (words: readonly string[]): string => words[0] ?? '';

const COMMANDS: Readonly<Record<string, Command>> = {
  /** `nodes a b c active=d passive=e min=1` */
  nodes: (world, words) => {
    const members = configOf(words);
    for (const { id } of members.members) world.add(id, members);
  },
  /** A node that no configuration names yet. */
  outsider: (world, [id = '']) => world.add(id, config('')),
  /** `log b 1 1 2 term=3 commit=1 of a b c`: a node that starts with these entries. */
  log: (world, words) => {
    const [id = '', ...rest] = words;
    const members = configOf(rest.slice(rest.indexOf('of') + 1));
    const own = rest.slice(0, rest.indexOf('of'));
    const given = numbers(own);
    const terms = own.filter((word) => !word.includes('=')).map(Number);
    const vote = own.find((word) => word.startsWith('vote='))?.slice(5);
    const state = { term: given.get('term') ?? terms[terms.length - 1] ?? 0, commit: given.get('commit') ?? 0 };
    world.add(id, members, terms, vote === undefined ? state : { ...state, vote });
  },
  tick: (world, [id = '', count = '1']) => {
    for (let tick = 0; tick < Number(count); tick += 1) world.input(id, ({ group }) => group.tick());
  },
  /** Time passes for all, and what they say arrives; only the end is shown. */
  run: (world, [count = '1']) =>
    world.quietly(() => {
      for (let tick = 0; tick < Number(count); tick += 1) {
        for (const id of world.ids) world.input(id, ({ group }) => group.tick());
        world.settle();
      }
    }),
  /** Campaign and whatever follows; only the end is shown. */
  elect: (world, [id = '']) =>
    world.quietly(() => {
      world.input(id, ({ group }) => group.campaign());
      world.settle();
    }),
  campaign: (world, words) => world.input(first(words), ({ group }) => group.campaign()),
  forget: (world, words) => world.input(first(words), ({ group }) => group.forgetLeader()),
  stepdown: (world, words) => world.input(first(words), ({ group }) => group.stepDown()),
  transfer: (world, [id = '', to]) =>
    world.input(id, ({ group }) =>
      world.print(group.transferLeadership(to ?? null) ? `${id}: begins` : `${id}: cannot`),
    ),
  suspend: (world, [id = '', peer = '', ticks = '0']) =>
    world.input(id, ({ group }) => group.suspendPeer(peer, Number(ticks))),
  unreachable: (world, [id = '', peer = '']) => world.input(id, ({ group }) => group.peerUnreachable(peer)),
  duty: (world, [id = '', duty = 'full']) => world.input(id, ({ group }) => group.setDuty(duty as Duty)),
  propose: (world, [id = '', bytes = '1']) => world.propose(id, Number(bytes)),
  config: (world, [id = '', ...words]) => world.proposeConfig(id, configOf(words)),
  read: (world, [id = '', token = '1']) =>
    world.input(id, ({ group }) => {
      if (!group.readIndex(Number(token))) world.print(`${id}: does not lead`);
    }),
  hold: (world, words) => world.hold(first(words)),
  persist: (world, [id = '', all = '']) => world.persist(id, all === 'all'),
  crash: (world, words) => world.crash(first(words)),
  /** `deliver a>b`, `deliver b`, `deliver all`: what waits now, with `last` only the newest of it; `repeat` keeps a copy for later. */
  deliver: (world, [which = '', last]) => world.deliver(which, { keep: false, last: last === 'last' }),
  repeat: (world, [which = '']) => world.deliver(which, { keep: true, last: false }),
  drop: (world, words) => world.drop(first(words)),
  settle: (world, words) => (first(words) === 'quietly' ? world.quietly(() => world.settle()) : world.settle()),
  cut: (world, words) => world.cut(words),
  heal: (world) => world.heal(),
  progress: (world, words) => world.progress(first(words)),
  members: (world, words) => world.members(first(words)),
  inject: (world, words) => world.step(messageOf(words)),
};

/** `inject b>a vote term=3 lastIndex=2 lastTerm=1`: fields as in types.ts, those left out are 0, false or empty. */
function messageOf([link = '', type = '', ...fields]: readonly string[]): Message {
  const [from = '', to = ''] = link.split('>');
  const given = Object.fromEntries(fields.map((field) => field.split('='))) as Record<string, string>;
  const number = (name: string) => Number(given[name] ?? 0);
  const flag = (name: string) => given[name] === 'true';
  const base = { group: 7, from, to, term: number('term') };
  const last = { lastIndex: number('lastIndex'), lastTerm: number('lastTerm') };
  switch (type) {
    case 'pre-vote':
      return { ...base, type, ...last };
    case 'vote':
      return { ...base, type, ...last, transfer: flag('transfer') };
    case 'pre-vote-response':
    case 'vote-response':
      return { ...base, type, granted: flag('granted'), lastIndex: last.lastIndex };
    case 'append': {
      const terms = (given['entries'] ?? '').split(',').filter((term) => term !== '');
      const entries = entriesOfTerms(terms.map(Number), number('prevIndex') + 1);
      const [prevIndex, prevTerm, commit] = [number('prevIndex'), number('prevTerm'), number('commit')];
      return { ...base, type, prevIndex, prevTerm, commit, entries };
    }
    case 'append-response':
      return {
        ...base,
        type,
        reject: flag('reject'),
        matchIndex: number('matchIndex'),
        hintIndex: number('hintIndex'),
        hintTerm: number('hintTerm'),
      };
    case 'heartbeat': {
      const successor: MemberId | null = given['successor'] ?? null;
      return { ...base, type, commit: number('commit'), readSeq: number('readSeq'), successor };
    }
    case 'heartbeat-response':
      return { ...base, type, readSeq: number('readSeq'), lastIndex: last.lastIndex, durableIndex: last.lastIndex };
    case 'timeout-now':
      return { ...base, type };
    default:
      throw new Error(`no message of type ${type}`);
  }
}

export interface ScriptResult {
  readonly expected: string;
  readonly actual: string;
}

export function titleOf(text: string): string {
  return /^# (.*)/.exec(text)?.[1] ?? '';
}

/** Runs a script and says what its file says and what it should say. */
export function runScript(text: string): ScriptResult {
  const world = new ScriptWorld();
  const written: string[] = [];
  let commands: string[] = [];
  let skipping = false;
  for (const line of text.split('\n')) {
    if (skipping && line !== '') continue;
    skipping = false;
    if (line === '----') {
      const output = commands.flatMap((command) => {
        runCommand(world, command);
        return world.takeOutput();
      });
      written.push('----', ...(output.length === 0 ? ['ok'] : output));
      commands = [];
      skipping = true;
      continue;
    }
    if (line !== '' && !line.startsWith('#')) commands.push(line);
    written.push(line);
  }
  if (commands.length > 0) throw new Error(`commands without ----: ${commands.join('; ')}`);
  return { expected: text, actual: written.join('\n') };
}

function runCommand(world: ScriptWorld, line: string): void {
  const [name = '', ...words] = line.split(' ');
  const command = COMMANDS[name];
  if (command === undefined) throw new Error(`no command ${name}`);
  try {
    command(world, words);
  } catch (error) {
    if (!(error instanceof Error) || error.name !== 'InvariantError') throw error;
    world.print(`stops: ${error.message}`);
  }
}

export function runScriptFile(file: URL): ScriptResult {
  const result = runScript(readFileSync(file, 'utf8'));
  if (process.env['MUSTER_UPDATE_SCRIPTS'] === '1') writeFileSync(file, result.actual);
  return result;
}
