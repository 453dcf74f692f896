// When closed segments are checked, how fast, and what is told about it. The clock is driven.
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Scrubber } from '../../../engine/context/scrubber.ts';
import type { ScrubSettings } from '../../../engine/context/scrubber.ts';
import type { GroupHost } from '../../../engine/context/group-host.ts';
import type { Env } from '../../../engine/util/env.ts';

const BLOCK = 1000;
const SETTINGS: ScrubSettings = { enabled: true, intervalMs: 3_600_000, bytesPerSecond: 10 * BLOCK };

class FakeStore {
  readonly damage = null;
  foundDamage: Error | null = null;
  /** Found at this block of the next pass. */
  rotAt: number | null = null;
  blocks = 20;
  passes = 0;

  scrub(): { segments: number; totalBytes: number; steps: Generator<number, void, void> } {
    this.passes += 1;
    return { segments: 2, totalBytes: this.blocks * BLOCK, steps: this.#steps() };
  }

  *#steps(): Generator<number, void, void> {
    for (let block = 0; block < this.blocks; block += 1) {
      if (block === this.rotAt) {
        this.foundDamage = new Error('a.seg at byte 12');
        return;
      }
      yield BLOCK;
    }
  }
}

describe('the scrubber (raft-design §9 "Bit rot")', () => {
  let store: FakeStore;
  let logged: string[];
  let scrubber: Scrubber;
  let replicas: { context: string; closed: boolean; store: FakeStore }[];

  function begin(settings: Partial<ScrubSettings> = {}): void {
    const log = (text: string, fields?: { readonly code?: string }) => void logged.push(`${fields?.code}: ${text}`);
    const env = { now: () => performance.now(), wallClock: () => 1_234, log: { info: log, error: log } };
    const groups = { replicas: () => replicas } as unknown as GroupHost;
    scrubber = new Scrubber({
      env: env as unknown as Env,
      groups: () => groups,
      settings: { ...SETTINGS, ...settings },
    });
    scrubber.start();
  }

  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'setInterval', 'clearInterval', 'setImmediate', 'performance'] });
    store = new FakeStore();
    replicas = [{ context: 'default', closed: false, store }];
    logged = [];
  });
  afterEach(() => {
    scrubber.stop();
    vi.useRealTimers();
  });

  it('checks a new replica after a minute at the rate that was set, then once per interval', async () => {
    begin();
    await vi.advanceTimersByTimeAsync(59_000);
    expect(store.passes).toBe(0);
    await vi.advanceTimersByTimeAsync(3_000);
    // 20 blocks at 10 per second: on its way after a second, not done.
    expect(scrubber.report('default')).toMatchObject({ running: true, passes: 0, totalBytes: 20 * BLOCK });
    expect(scrubber.report('default').checkedBytes).toBeLessThan(18 * BLOCK);
    await vi.advanceTimersByTimeAsync(3_000);
    const done = { running: false, passes: 1, segments: 2, checkedBytes: 20 * BLOCK, problem: null, finishedAt: 1_234 };
    expect(scrubber.report('default')).toMatchObject(done);
    await vi.advanceTimersByTimeAsync(SETTINGS.intervalMs - 10_000);
    expect(store.passes).toBe(1);
    await vi.advanceTimersByTimeAsync(20_000);
    expect(store.passes).toBe(2);
    expect(logged.filter((line) => line.startsWith('SCRUB_DONE'))).toHaveLength(2);
  });

  it('switched off it checks nothing by itself, but does when asked, and at once', async () => {
    begin({ enabled: false });
    await vi.advanceTimersByTimeAsync(10 * SETTINGS.intervalMs);
    expect(store.passes).toBe(0);
    scrubber.ask('default');
    await vi.advanceTimersByTimeAsync(100);
    expect(scrubber.report('default')).toMatchObject({ running: false, passes: 1, problem: null });
  });

  it('a pass over nothing is a pass', async () => {
    begin();
    store.blocks = 0;
    const before = scrubber.ask('default');
    await vi.advanceTimersByTimeAsync(100);
    expect(scrubber.report('default')).toMatchObject({ running: false, passes: before.passes + 1, totalBytes: 0 });
  });

  it('whoever asks during a slow pass gets one that begins now', async () => {
    begin({ intervalMs: 1_000, bytesPerSecond: BLOCK });
    await vi.advanceTimersByTimeAsync(5_000);
    expect(scrubber.report('default')).toMatchObject({ running: true, passes: 0 });
    scrubber.ask('default');
    await vi.advanceTimersByTimeAsync(1_100);
    expect(store.passes).toBe(2);
    expect(scrubber.report('default')).toMatchObject({ passes: 1, checkedBytes: 20 * BLOCK });
  });

  it('damage ends the pass, is told with its place, and stays told while the replica is opened again', async () => {
    begin();
    store.rotAt = 3;
    scrubber.ask('default');
    await vi.advanceTimersByTimeAsync(100);
    expect(scrubber.report('default')).toMatchObject({
      passes: 1,
      checkedBytes: 3 * BLOCK,
      problem: 'a.seg at byte 12',
    });
    expect(logged).toEqual(['SCRUB_DAMAGE: Checking closed segments found damage: a.seg at byte 12']);
    replicas = [];
    await vi.advanceTimersByTimeAsync(5_000);
    expect(scrubber.report('default').problem).toBe('a.seg at byte 12');
    replicas = [{ context: 'default', closed: false, store: new FakeStore() }];
    scrubber.ask('default');
    await vi.advanceTimersByTimeAsync(100);
    expect(scrubber.report('default')).toMatchObject({ passes: 2, problem: null });
  });

  it('a replica that closes meanwhile, or is deleted, counts as not checked', async () => {
    begin({ bytesPerSecond: BLOCK });
    await vi.advanceTimersByTimeAsync(65_000);
    replicas[0]!.closed = true;
    replicas = [];
    await vi.advanceTimersByTimeAsync(5_000);
    expect(scrubber.report('default')).toMatchObject({ running: false, passes: 0, finishedAt: null });
  });
});
