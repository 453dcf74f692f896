// Commands that break links, disks and clocks, and heal them. Entry points: `addFaultCommands` (words of the command line), the functions.
import type { Command } from 'commander';
import type { LauncherClient } from '../contract/api.ts';
import type { DiskFault } from '../contract/faults.ts';
import type { ClusterView } from '../contract/model.ts';
import { duration } from '../contract/words.ts';
import { describeClockFault, describeDiskFault, describeFault } from '../launcher/timeline.ts';
import { faultLines, faultsObject } from './fault-lines.ts';
import {
  parseDelay,
  parseDuration,
  parseHeal,
  parseLinks,
  parseLoss,
  parsePartition,
  parsePercent,
  parseSkew,
} from '../contract/grammar.ts';
import type { DirectedLink, HealWords, LinkTrouble } from '../contract/grammar.ts';
import { table } from './output.ts';
import type { Output } from './output.ts';
import { pickCluster, withSession } from './session.ts';
import type { Installation } from './session.ts';

type Run = (installation: Installation, output: Output, common: { readonly cluster?: string }) => Promise<number>;
export type AddCommand = (parent: Command, usage: string, description: string) => Command;
export type RunCommand = (command: Command, work: Run) => Promise<void>;

const CUT = { cut: true, delayMs: 0, jitterMs: 0, lossPercent: 0 };
const HEALTHY: DiskFault = { slowMs: 0, failing: false, full: false };
const TARGETS = 'node-2, leader:default, follower:default, all';

function setLinks(
  installation: Installation,
  output: Output,
  name: string | undefined,
  links: readonly DirectedLink[],
  fault: LinkTrouble,
): Promise<number> {
  return withSession(installation, 'look', async ({ client }) => {
    const cluster = await pickCluster(client, name);
    const wanted = links.map((link) => ({ ...link, ...fault }));
    await client.setLinks(cluster.name, wanted);
    return told(client, output, cluster.name, wanted.map(describeFault));
  });
}

function setDisk(
  installation: Installation,
  output: Output,
  name: string | undefined,
  target: string,
  change: Partial<DiskFault>,
): Promise<number> {
  return withSession(installation, 'look', async ({ client }) => {
    const cluster = await pickCluster(client, name);
    const nodes = await client.setDisk(cluster.name, target, change);
    const { diskFaults = [] } = await client.getCluster(cluster.name);
    const fault = (node: string): DiskFault => diskFaults.find((known) => known.node === node) ?? HEALTHY;
    return told(
      client,
      output,
      cluster.name,
      nodes.map((node) => describeDiskFault(node, fault(node))),
    );
  });
}

function skewClock(
  installation: Installation,
  output: Output,
  name: string | undefined,
  target: string,
  skewMs: number,
): Promise<number> {
  return withSession(installation, 'look', async ({ client }) => {
    const cluster = await pickCluster(client, name);
    const nodes = await client.skewClock(cluster.name, target, skewMs);
    return told(
      client,
      output,
      cluster.name,
      nodes.map((node) => describeClockFault(node, skewMs)),
    );
  });
}

async function told(
  client: LauncherClient,
  output: Output,
  cluster: string,
  lines: readonly string[],
): Promise<number> {
  output.object(faultsObject(await client.getCluster(cluster)));
  output.line(lines.join('\n'));
  output.line('Undo: muster heal');
  return 0;
}

function heal(
  installation: Installation,
  output: Output,
  name: string | undefined,
  words: readonly string[],
): Promise<number> {
  const what = parseHeal(words);
  return withSession(installation, 'look', async ({ client }) => {
    const cluster = (await pickCluster(client, name)).name;
    const before = await client.getCluster(cluster);
    await healWhat(client, before, what);
    const after = await client.getCluster(cluster);
    const left = faultLines(after);
    const ended = faultLines(before).filter(({ words: one }) => !left.some((other) => other.words === one));
    output.object(faultsObject(after));
    output.line(
      ended.length === 0
        ? `Nothing to heal in ${cluster}.`
        : ended.map(({ words: one }) => `Healed: ${one}`).join('\n'),
    );
    if (left.length > 0) output.line(`Still on: ${left.length} (muster faults)`);
    return 0;
  });
}

async function healWhat(client: LauncherClient, { name, faults }: ClusterView, what: HealWords): Promise<void> {
  switch (what.kind) {
    case 'all':
      return client.heal(name);
    case 'links':
      return client.setLinks(
        name,
        (what.links ?? faults).map(({ from, to }) => ({ ...CUT, cut: false, from, to })),
      );
    case 'disk':
      await client.setDisk(name, what.node, HEALTHY);
      return;
    case 'clock':
      await client.skewClock(name, what.node, 0);
      return;
  }
}

function listFaults(installation: Installation, output: Output, name: string | undefined): Promise<number> {
  return withSession(installation, 'look', async ({ client }) => {
    const view = await client.getCluster((await pickCluster(client, name)).name);
    const now = Date.now();
    const rows = faultLines(view).map(({ words, since, undo }) => [
      words,
      since === null ? '' : duration(now - since),
      `muster ${undo}`,
    ]);
    output.object(faultsObject(view));
    output.line(
      rows.length === 0 ? `No fault is on in ${view.name}.` : table(['FAULT', 'FOR', 'UNDO'], rows).join('\n'),
    );
    return 0;
  });
}

interface TroubleOptions {
  readonly jitter?: string;
  readonly loss?: string;
}

function addLinkCommands(program: Command, add: AddCommand, run: RunCommand): void {
  add(program, 'cut <words...>', 'cut a link: node-1 to node-3 (one way), node-1 and node-3 (both)').action(
    (words: readonly string[], _options: unknown, command: Command) =>
      run(command, (installation, output, common) =>
        setLinks(installation, output, common.cluster, parseLinks(words), CUT),
      ),
  );
  add(program, 'partition <words...>', 'cut groups from each other: node-1 / node-2 node-3').action(
    (words: readonly string[], _options: unknown, command: Command) =>
      run(command, (installation, output, common) =>
        setLinks(installation, output, common.cluster, parsePartition(words), CUT),
      ),
  );
  add(program, 'delay <words...>', 'slow a link: node-2 and node-3 80ms jitter 20ms loss 5%')
    .option('--jitter <duration>', 'random extra')
    .option('--loss <percent>', 'share of messages dropped')
    .action((words: readonly string[], options: TroubleOptions, command: Command) =>
      run(command, (installation, output, common) => {
        const { links, ...trouble } = parseDelay(words);
        const jitterMs = options.jitter === undefined ? trouble.jitterMs : parseDuration(options.jitter);
        const lossPercent = options.loss === undefined ? trouble.lossPercent : parsePercent(options.loss);
        return setLinks(installation, output, common.cluster, links, { ...trouble, jitterMs, lossPercent });
      }),
    );
  add(program, 'loss <words...>', 'lose messages on a link: node-1 to node-2 10%').action(
    (words: readonly string[], _options: unknown, command: Command) =>
      run(command, (installation, output, common) => {
        const { links, lossPercent } = parseLoss(words);
        return setLinks(installation, output, common.cluster, links, { ...CUT, cut: false, lossPercent });
      }),
  );
}

export function addFaultCommands(program: Command, add: AddCommand, run: RunCommand): void {
  addLinkCommands(program, add, run);
  add(
    program,
    'slow-disk <target> <duration>',
    `make every flush take longer, 0 = as before; targets: ${TARGETS}`,
  ).action((target: string, duration: string, _options: unknown, command: Command) =>
    run(command, (installation, output, common) => {
      const slowMs = /^\d+$/.test(duration) ? Number(duration) : parseDuration(duration);
      return setDisk(installation, output, common.cluster, target, { slowMs });
    }),
  );
  add(program, 'fail-disk <target>', 'let the next flush fail: the node ends with exit code 74').action(
    (target: string, _options: unknown, command: Command) =>
      run(command, (installation, output, common) =>
        setDisk(installation, output, common.cluster, target, { failing: true }),
      ),
  );
  add(program, 'fill-disk <target>', 'leave no space on the disk until it is healed').action(
    (target: string, _options: unknown, command: Command) =>
      run(command, (installation, output, common) =>
        setDisk(installation, output, common.cluster, target, { full: true }),
      ),
  );
  // An offset like -30s looks like an option.
  add(
    program,
    'skew <target> <offset>',
    `set the wall clock of a node wrong: +5m, -30s, 0 = right again; targets: ${TARGETS}`,
  )
    .allowUnknownOption()
    .action((target: string, offset: string, _options: unknown, command: Command) =>
      run(command, (installation, output, common) =>
        skewClock(installation, output, common.cluster, target, parseSkew([offset])),
      ),
    );
  add(
    program,
    'heal [what...]',
    'end every fault, frozen nodes go on; or some: links, node-1 to node-3, disk node-2, clock node-2',
  ).action((words: readonly string[], _options: unknown, command: Command) =>
    run(command, (installation, output, common) => heal(installation, output, common.cluster, words)),
  );
  add(program, 'faults', 'what is broken on purpose, since when, and how each is undone').action(
    (_options: unknown, command: Command) =>
      run(command, (installation, output, common) => listFaults(installation, output, common.cluster)),
  );
}
