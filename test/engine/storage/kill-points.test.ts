// Issue 4 item 4 on real processes and files: kill -9 at every step of roll, cut, restart and hard-state write, and in the middle of writes.
import { execFile } from 'node:child_process';
import { mkdirSync, rmSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';
import type { HardState } from '../../../engine/storage/api.ts';
import { nodeDisk } from '../../../engine/storage/disk.ts';
import { HardStates } from '../../../engine/storage/hard-states.ts';
import { GROUP, objection, SEGMENT, votesIn } from './crash-workload.ts';
import type { Told } from './crash-workload.ts';
import { logOf, openStore, temporaryDirectory } from './fixtures.ts';

const child = fileURLToPath(new URL('./kill-child.ts', import.meta.url));
const TOGETHER = 2;
const CALLS_MAX = 400;
const OUTPUT_BYTES_MAX = 64 * 1024 * 1024;

interface Death {
  /** Null: it came to the end. */
  readonly point: string | null;
  readonly told: Told;
}

function killedAt(dir: string, call: number): Promise<Death> {
  const args = ['--disable-warning=ExperimentalWarning', child, dir, String(call)];
  return new Promise((resolve, reject) => {
    execFile(process.execPath, args, { maxBuffer: OUTPUT_BYTES_MAX }, (error, stdout, stderr) => {
      let told: Told = { logs: [[]], votes: [] };
      let point: string | null = null;
      let done = false;
      for (const line of stdout.split('\n').filter((text) => text !== '')) {
        const said = JSON.parse(line) as { told?: Told; point?: string; done?: boolean };
        told = said.told ?? told;
        point = said.point ?? point;
        done ||= said.done === true;
      }
      if (point === null ? !done : error?.signal !== 'SIGKILL') reject(new Error(`call ${call}: ${stderr}`));
      else resolve({ point, told });
    });
  });
}

function voteIn(dir: string): HardState | undefined {
  return HardStates.open(nodeDisk, votesIn(dir)).get(GROUP);
}

async function expectRecovered(dir: string, { point, told }: Death): Promise<void> {
  const vote = told.votes.length === 0 ? undefined : voteIn(dir);
  const { store } = await openStore(nodeDisk, dir, SEGMENT);
  const log = logOf(store);
  expect(store.damage, `${point}: damage`).toBeNull();
  expect(objection(told, log, vote), String(point)).toBeNull();
  store.setCommitted(store.lastIndex());
  expect([...store.scrub().steps].every((bytes) => bytes >= 0)).toBe(true);
  expect(store.foundDamage, `${point}: scrub`).toBeNull();
  await store.close();
}

describe('a process killed at every call to the disk', () => {
  const { dir: base, remove } = temporaryDirectory();
  afterAll(remove);

  async function allPoints(): Promise<ReadonlySet<string>> {
    const points = new Set<string>();
    let next = 1;
    let ended = false;
    const work = async (): Promise<void> => {
      for (let call = next++; !ended; call = next++) {
        expect(call).toBeLessThan(CALLS_MAX);
        const dir = path.join(base, String(call));
        mkdirSync(dir);
        const death = await killedAt(dir, call);
        await expectRecovered(dir, death);
        if (death.point === null) ended = true;
        else points.add(death.point);
        rmSync(dir, { recursive: true, force: true });
      }
    };
    await Promise.all(Array.from({ length: TOGETHER }, work));
    return points;
  }

  it('nothing confirmed is lost, nothing is taken for damage, the vote is kept', async () => {
    const points = await allPoints();
    const roll = [
      'create next.pool',
      'write seg',
      'rename next.pool to seg',
      'flush names',
      'rename MANIFEST.tmp to MANIFEST',
    ];
    const cut = ['write MANIFEST.tmp', 'flush MANIFEST.tmp', 'flush seg', 'unlink seg'];
    const votes = ['create hardstate.a', 'write hardstate.b', 'flush hardstate.a'];
    expect([...points]).toEqual(expect.arrayContaining([...roll, ...cut, ...votes]));
  }, 240_000);
});
