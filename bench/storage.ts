// What the store alone does on this machine: appends per second at 1, 16 and 256 waiting callers, opening a new group,
// reopening a filled one, reading. Run: node bench/storage.ts [events=1000000]. Durability is fsync throughout.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { GroupStore } from '../engine/storage/api.ts';
import { encodeEvents, eventFacts } from '../engine/storage/facts.ts';
import { FrameType } from '../engine/storage/frame.ts';
import { event, openStore } from './node-store.ts';

const APPEND_SECONDS = 3;

function appendOne(store: GroupStore, raw: Uint8Array): void {
  const conflict = store.checkSequences([eventFacts(raw)]);
  if (conflict !== null) throw new Error(`sequence ${conflict.given}, expected ${conflict.expected}`);
  const index = store.lastIndex() + 1;
  const data = encodeEvents([raw]);
  store.append([{ index, term: 1, type: FrameType.EVENTS, firstToken: store.nextToken, eventCount: 1, data }]);
}

async function appendsPerSecond(dir: string, callers: number): Promise<string> {
  const { node, store } = await openStore(dir, `callers-${callers}`);
  const until = performance.now() + APPEND_SECONDS * 1000;
  const waits: number[] = [];
  const caller = async (name: number): Promise<void> => {
    for (let sequence = 0; performance.now() < until; sequence += 1) {
      const start = performance.now();
      appendOne(store, event(`caller-${name}`, sequence));
      await store.flush();
      waits.push(performance.now() - start);
    }
  };
  const start = performance.now();
  await Promise.all(Array.from({ length: callers }, (_, name) => caller(name)));
  const rate = waits.length / ((performance.now() - start) / 1000);
  waits.sort((a, b) => a - b);
  const at = (share: number) => waits[Math.floor(waits.length * share)]!.toFixed(2);
  await store.destroy();
  await node.close();
  return `${callers} waiting callers: ${Math.round(rate)} appends/s, p50 ${at(0.5)} ms, p99 ${at(0.99)} ms`;
}

async function timed<T>(label: string, run: () => Promise<T> | T): Promise<T> {
  const start = performance.now();
  const cpu = process.cpuUsage();
  const result = await run();
  const { user, system } = process.cpuUsage(cpu);
  const rss = Math.round(process.memoryUsage().rss / 2 ** 20);
  console.log(
    `${label}: ${(performance.now() - start).toFixed(1)} ms, CPU ${((user + system) / 1000).toFixed(0)} ms, RSS ${rss} MB`,
  );
  return result;
}

async function fill(store: GroupStore, events: number): Promise<void> {
  const aggregates = Math.max(1, Math.floor(events / 10));
  for (let i = 0; i < events; i += 1) {
    appendOne(store, event(`order-${i % aggregates}`, Math.floor(i / aggregates)));
    if (i % 2000 === 1999) await store.flush();
  }
  await store.flush();
}

function readAll(store: GroupStore): void {
  let next = 0;
  while (next <= store.lastToken) next = store.readEvents(next, 5000, 256 * 1024).at(-1)!.token + 1;
}

function readAggregates(store: GroupStore, count: number): void {
  for (let i = 0; i < count; i += 1) {
    let events = 0;
    for (const chunk of store.readAggregate(`order-${i * 7}`, 0, Number.MAX_SAFE_INTEGER)) events += chunk.length;
    if (events !== 10) throw new Error(`aggregate order-${i * 7} has ${events} events`);
  }
}

async function main(): Promise<void> {
  const events = Number(process.argv[2] ?? 1_000_000);
  const dir = mkdtempSync(path.join(tmpdir(), 'muster-bench-storage-'));
  try {
    let { node, store } = await timed('new folder and new group', () => openStore(dir, 'first'));
    await store.close();
    await node.close();
    for (const callers of [1, 16, 256]) console.log(await appendsPerSecond(dir, callers));
    ({ node, store } = await openStore(dir, 'filled'));
    await timed(`append ${events} events, flush every 2000`, () => fill(store, events));
    await store.close();
    await node.close();
    ({ node, store } = await timed(`reopen with ${events} events`, () => openStore(dir, 'filled')));
    store.setCommitted(store.lastIndex());
    await timed('read the whole stream', () => readAll(store));
    await timed('read 1000 aggregates of 10 events', () =>
      readAggregates(store, Math.min(1000, Math.floor(events / 100))),
    );
    await store.destroy();
    await node.close();
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

await main();
