// Catching up by segments when something goes wrong on the way (raft-design §8): what is fetched again, who else brings the entries, and
// what a busy leader gives away. Real logs of three nodes; the lanes are made here, so that they can break and be counted.
import { afterEach, describe, expect, it, vi } from 'vitest';
import { CatchUp } from '../../../engine/context/catch-up.ts';
import * as limits from '../../../engine/context/catch-up-limits.ts';
import { decodeBody, encodeBody } from '../../../engine/context/peer-messages.ts';
import type { BulkLane } from '../../../engine/peer/bus.ts';
import { GroupHosts } from './group-hosts.ts';
import { MemoryNetwork } from './memory-network.ts';
import { testEnv, until } from './mini-node.ts';

const SEGMENT_BYTES = 64 * 1024;
const ENTRY_BYTES = 20_000;
const ENTRIES = 120;
const GROUP = 2;
const closing: (() => Promise<void>)[] = [];

afterEach(async () => {
  vi.useRealTimers();
  for (const close of closing.splice(0)) await close();
});

interface Fetch {
  readonly from: number;
  readonly bytes: number;
}

class Scene {
  readonly hosts: GroupHosts;
  readonly network = new MemoryNetwork();
  readonly fetches: Fetch[] = [];
  readonly codes: string[] = [];
  /** Throws to break the lane before this fetch. */
  onFetch: (count: number) => void = () => undefined;
  onOpen: () => void = () => undefined;
  /** Milliseconds by which catching up believes it is later. */
  later = 0;
  clock: () => number = () => performance.now() + this.later;

  constructor(hosts: GroupHosts) {
    this.hosts = hosts;
  }

  /** node-1 leads; node-3 lacks all but the first entries, for nothing with entries reaches it. */
  static async behind(segmentBytes = SEGMENT_BYTES, entries = ENTRIES): Promise<Scene> {
    const hosts = await GroupHosts.opened({ groups: 1, segmentBytes });
    closing.push(() => hosts.close());
    for (const host of hosts.all.values()) host.groups.start();
    hosts.replica('node-1').campaign();
    await until('node-1 to lead', () => hosts.ledBy('node-1') === 1);
    await until('node-3 to follow', () => hosts.replica('node-3').store.durableIndex >= 1);
    hosts.delivers = ({ type }, to) => to !== 'node-3' || type !== 'append';
    const scene = new Scene(hosts);
    await scene.append(entries);
    return scene;
  }

  async append(count: number): Promise<void> {
    const leader = this.hosts.replica('node-1');
    await Promise.all(Array.from({ length: count }, () => leader.proposeAdmin(Buffer.alloc(ENTRY_BYTES, 7))));
  }

  start(): void {
    for (const name of this.hosts.all.keys()) {
      const bus = this.network.bus(name);
      const openBulk = (node: string): Promise<BulkLane> => {
        this.onOpen();
        const request: BulkLane['request'] = async (method, body, timeoutMs) => {
          this.onFetch(this.fetches.length);
          const answer = await bus.request(node, method, body, timeoutMs);
          const { from } = decodeBody(body).head as { readonly from: number };
          this.fetches.push({ from, bytes: answer.length });
          return answer;
        };
        return Promise.resolve({ closed: false, request, close: () => undefined });
      };
      const log = {
        ...testEnv.log,
        info: (_text: string, fields?: { readonly code?: unknown }) => void this.codes.push(String(fields?.code)),
      };
      const env = { ...testEnv, log, now: () => this.clock() };
      const catchUp = new CatchUp({
        env,
        bus: Object.assign(bus, { openBulk }),
        groups: () => this.hosts.host(name).groups,
      });
      closing.unshift(async () => catchUp.stop());
    }
    this.network.connectAll([...this.hosts.all.keys()]);
  }

  get end(): number {
    return this.hosts.replica('node-1').store.lastIndex();
  }

  arrived(): boolean {
    return this.hosts.replica('node-3').store.durableIndex >= this.end;
  }
}

describe('catching up by segments', () => {
  it('a lane lost in the middle: the next offer goes on where the log ends, and nothing taken is fetched again', async () => {
    const scene = await Scene.behind();
    const { store } = scene.hosts.replica('node-1');
    const member = scene.hosts.replica('node-3');
    const total = store.bytesAfter(member.store.lastIndex());
    scene.onFetch = (count) => {
      if (count === 3) throw new Error('link lost');
    };
    scene.start();
    await until('the first lane to end', () => scene.codes.includes('SEGMENTS_ENDED'));
    const taken = member.store.lastIndex();
    expect(taken).toBeGreaterThan(1);
    expect(taken).toBeLessThan(store.sealedThrough);
    // What is not on disk yet is offered again.
    await until('what was taken to be on disk', () => member.store.durableIndex >= taken);
    // Its appends rest, then come from the log for a while: here they are lost, so that the next offer has the rest to bring.
    scene.onFetch = () => undefined;
    await until('the offer to be given up', () => {
      scene.later += limits.OFFER_STALLED_MS + limits.OFFER_REST_MS;
      return scene.codes.filter((code) => code === 'SEGMENTS_OFFERED').length >= 2;
    });
    await until('all closed segments to be there', () => member.store.durableIndex >= store.sealedThrough);
    expect(scene.fetches[3]?.from).toBe(taken + 1);
    const fetched = scene.fetches.reduce((sum, { bytes }) => sum + bytes, 0);
    expect(fetched).toBeLessThanOrEqual(total);
    expect(scene.fetches.map(({ from }) => from)).toEqual([...new Set(scene.fetches.map(({ from }) => from))]);
    scene.hosts.delivers = () => true;
    await until('the rest of the log', () => scene.arrived());
    expect(await member.store.digest(scene.end)).toBe(await store.digest(scene.end));
  });

  it('a lane that cannot be opened: the entries come from the log, after the stalled offer', async () => {
    const scene = await Scene.behind();
    scene.onOpen = () => {
      throw new Error('nobody listens there');
    };
    scene.start();
    await until('the lane to fail', () => scene.codes.includes('SEGMENTS_ENDED'));
    scene.hosts.delivers = () => true;
    await until('everything to be there', () => scene.arrived());
    expect(scene.fetches).toEqual([]);
    expect(scene.codes).not.toContain('SEGMENTS_TAKEN');
    const { store } = scene.hosts.replica('node-3');
    expect(await store.digest(scene.end)).toBe(await scene.hosts.replica('node-1').store.digest(scene.end));
  });

  it('many bytes of a segment that is still open come over the lane, too, where appends are spared', async () => {
    const entries = Math.ceil(limits.OFFER_BYTES_MIN / ENTRY_BYTES);
    const scene = await Scene.behind(2 * limits.OFFER_BYTES_MIN, entries);
    expect(scene.hosts.replica('node-1').store.sealedThrough).toBe(0);
    scene.start();
    await until('node-3 to have all', () => scene.arrived());
    await until('the end of the lane', () => scene.codes.includes('SEGMENTS_TAKEN'));
    const bytes = scene.fetches.reduce((sum, fetch) => sum + fetch.bytes, 0);
    expect(bytes).toBeGreaterThanOrEqual(limits.OFFER_BYTES_MIN);
  });

  it('a leader that takes appends gives away small chunks and no more than its share; without appends large ones at once', async () => {
    const scene = await Scene.behind(64 * SEGMENT_BYTES);
    scene.onOpen = () => {
      throw new Error('only the test fetches here');
    };
    let time = 1_000_000;
    scene.clock = () => time;
    scene.start();
    const bus = scene.network.buses.get('node-2')!;
    const fetch = async (): Promise<number> =>
      (await bus.request('node-1', 'segment-fetch', encodeBody({ group: GROUP, from: 2, to: ENTRIES }), 60_000)).length;
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    const expectLarge = async (): Promise<void> => {
      // Answered although no timer moves.
      const bytes = await fetch();
      expect(bytes).toBeGreaterThan(limits.IDLE_CHUNK_BYTES / 2);
      expect(bytes).toBeLessThanOrEqual(limits.IDLE_CHUNK_BYTES);
    };
    await expectLarge();
    await scene.append(1);
    const first = fetch();
    await vi.advanceTimersByTimeAsync(1000);
    const bytes = await first;
    expect(bytes).toBeGreaterThan(2 * ENTRY_BYTES);
    expect(bytes).toBeLessThanOrEqual(limits.BUSY_CHUNK_BYTES);
    // Appends made slow by what is given away come less often than fetches.
    time += limits.BUSY_MS - 1;
    const second = fetch();
    await vi.advanceTimersByTimeAsync(1000);
    expect(await second).toBeLessThanOrEqual(limits.BUSY_CHUNK_BYTES);
    time += limits.BUSY_MS;
    await expectLarge();
    time += 1000;
    let answered = 0;
    for (let i = 0; i < 2; i += 1) {
      await scene.append(1);
      void fetch().then(() => {
        answered += 1;
      });
    }
    const share = Math.ceil((bytes * 1000) / limits.BUSY_BYTES_PER_SECOND);
    for (const due of [1, 2]) {
      await vi.advanceTimersByTimeAsync(share - 3);
      expect(answered).toBe(due - 1);
      await vi.advanceTimersByTimeAsync(3);
      expect(answered).toBe(due);
    }
  });
});
