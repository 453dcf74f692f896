// How long a node's store takes to open, and with how much memory: first by scanning every segment, then by their sidecars, with and without
// comparing the newest closed segments with their checksums. Each in a process of its own. The page cache is warm in all.
// Run: npm run bench -- recovery --events=1000000 [--per-entry=1] [--aggregates=<events / 10>] [--dir=<kept folder>]
import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { encodeEvents } from '../engine/storage/facts.ts';
import { FrameType } from '../engine/storage/frame.ts';
import { EVENT_BYTES, event, openStore } from './node-store.ts';
import { option, report, rounded } from './report.ts';

const EVENTS_PER_FLUSH = 5_000;
const FOLDER = 'filled';

async function fill(dir: string, events: number, perEntry: number, aggregates: number): Promise<void> {
  const { node, store } = await openStore(dir, FOLDER, 0);
  for (let next = 0; next < events; ) {
    const raw: Buffer[] = [];
    for (; raw.length < perEntry && next < events; next += 1) {
      raw.push(event(`order-${next % aggregates}`, Math.floor(next / aggregates)));
    }
    const fields = { index: store.lastIndex() + 1, term: 1, type: FrameType.EVENTS, firstToken: store.nextToken };
    store.append([{ ...fields, eventCount: raw.length, data: encodeEvents(raw) }]);
    if (next % EVENTS_PER_FLUSH < perEntry) await store.flush();
  }
  await store.flush();
  store.setCommitted(store.lastIndex());
  await store.close();
  await node.close();
}

const folder = (dir: string): string => path.join(dir, 'groups', FOLDER);
const named = (dir: string, ending: string): string[] =>
  readdirSync(folder(dir))
    .filter((name) => name.endsWith(ending))
    .map((name) => path.join(folder(dir), name));
const megabytes = (files: readonly string[]): number =>
  rounded(files.reduce((sum, file) => sum + statSync(file).size, 0) / 2 ** 20);

/** In the child: one opening. */
async function measure(dir: string, verifySegments: number): Promise<void> {
  const base = process.memoryUsage().rss;
  const start = performance.now();
  const cpu = process.cpuUsage();
  const { node, store } = await openStore(dir, FOLDER, verifySegments);
  const ms = performance.now() - start;
  const { user, system } = process.cpuUsage(cpu);
  const { rss } = process.memoryUsage();
  const events = store.nextToken;
  console.log(
    JSON.stringify({
      'ms to open': Math.round(ms),
      'CPU ms': Math.round((user + system) / 1000),
      'RSS MB': Math.round(rss / 2 ** 20),
      'bytes of RSS per event': Math.round((rss - base) / events),
      events,
    }),
  );
  await store.close();
  await node.close();
}

function opened(dir: string, way: string, verifySegments: number): object {
  const file = fileURLToPath(import.meta.url);
  const args = ['--disable-warning=ExperimentalWarning', file, `--open=${dir}`, `--verify=${verifySegments}`];
  return { way, ...(JSON.parse(execFileSync(process.execPath, args, { encoding: 'utf8' })) as object) };
}

async function main(): Promise<void> {
  const events = Number(option('events', '1000000'));
  const perEntry = Number(option('per-entry', '1'));
  const aggregates = Number(option('aggregates', String(Math.max(1, Math.floor(events / 10)))));
  const kept = option('dir', '');
  const dir = kept === '' ? mkdtempSync(path.join(tmpdir(), 'muster-bench-recovery-')) : kept;
  try {
    if (!existsSync(folder(dir))) await fill(dir, events, perEntry, aggregates);
    for (const file of named(dir, '.idx')) rmSync(file);
    const rows = [
      opened(dir, 'every segment scanned, sidecars written', 0),
      opened(dir, 'sidecars, 10 segments compared (as the engine does)', 10),
      opened(dir, 'sidecars, nothing compared', 0),
    ];
    report('recovery', rows, [
      `${megabytes(named(dir, '.seg'))} MB in ${named(dir, '.seg').length} segments, ${megabytes(named(dir, '.idx'))} MB of sidecars`,
      `${aggregates} aggregates, ${perEntry} events per entry, ${EVENT_BYTES} bytes each`,
    ]);
  } finally {
    if (kept === '') rmSync(dir, { recursive: true, force: true });
  }
}

const toOpen = option('open', '');
await (toOpen === '' ? main() : measure(toOpen, Number(option('verify', '0'))));
