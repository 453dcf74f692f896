// An unmodified Axon Framework 5.0.0 application on the DCB event store of three nodes: its rules hold, also while a leader is killed and
// while the node it talks to is killed or frozen.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { DcbClient, type SourceReply } from '../engine/dcb/dcb-client.ts';
import { type ClusterJson, Workspace } from '../rows/cli.ts';
import { build } from '../rows/harness.ts';
import { freeBlock } from '../rows/ports.ts';
import { until } from '../rows/wait.ts';
import { buildApp, findJdk, JAVA_VERSION_MIN, runApp } from './java5-app.ts';

const COURSES = 4;
const CAPACITY = 5;
const STUDENTS = 12;
const LOAD_COURSES = 20;
const COURSES_PER_STUDENT = 3;
const EVENTS_BEFORE_KILL = 60;
const PROGRESS_MS_MAX = 60_000;
/** A balancer that moves the application is done with it long before. */
const PLACED_MS_MAX = 15_000;

interface Found {
  readonly conflict: string;
  readonly accepted: number;
  readonly rejected: number;
  readonly full: number;
  readonly enough: number;
  readonly retried: number;
  readonly projected: number;
  readonly projectedOnce: boolean;
  readonly queried: number;
  readonly most: number;
}

const FAULTS = [
  { what: 'the leader is killed', strike: 'kill', victim: 'leader' },
  { what: 'the node of the application is killed', strike: 'kill', victim: 'own' },
  { what: 'the node of the application is frozen', strike: 'freeze', victim: 'own' },
] as const;

const jdk = findJdk();
const title = 'an Axon Framework 5.0.0 application on a DCB context of three nodes';
const skipped = `${title}: skipped, no JDK of version ${JAVA_VERSION_MIN} or higher is installed (set JAVA_HOME)`;

describe.skipIf(jdk === null)(jdk === null ? skipped : title, () => {
  const workspace = new Workspace();
  let cluster: ClusterJson;
  let servers = '';
  let clients: DcbClient[] = [];
  beforeAll(async () => {
    build();
    await buildApp(jdk ?? '');
    cluster = await workspace.up('java5', 3, await freeBlock(3), '--dcb');
    servers = cluster.nodes.map((node) => `${node.host}:${node.grpc}`).join(',');
    clients = cluster.nodes.map((node) => new DcbClient(node.grpc, 'default', node.host));
  });
  afterAll(async () => {
    for (const client of clients) client.close();
    await workspace.dispose();
  });

  const runCourses = (properties: Readonly<Record<string, string | number | boolean>>): Promise<Found> =>
    runApp<Found>(jdk ?? '', 'CoursesMain', { 'as.servers': servers, ...properties });

  /** `course student` of every subscription stored, from this node. */
  const subscriptions = (replies: readonly SourceReply[], prefix: string): string[] =>
    replies.flatMap(({ event }) => {
      if (event == null || !event.event.name.endsWith('StudentSubscribed')) return [];
      const { courseId, studentId } = JSON.parse(event.event.payload.toString()) as Record<string, string>;
      return courseId?.startsWith(`${prefix}-`) === true ? [`${courseId} ${studentId}`] : [];
    });

  function largest(pairs: readonly string[], part: 0 | 1): number {
    const counts = new Map<string, number>();
    for (const pair of pairs) {
      const key = pair.split(' ')[part] ?? '';
      counts.set(key, (counts.get(key) ?? 0) + 1);
    }
    return Math.max(...counts.values());
  }

  it('DC-11, DC-12, DC-14 students that subscribe at once never overfill a course, refused appends are told by their text', async () => {
    const found = await runCourses({ prefix: 'first', courses: COURSES, capacity: CAPACITY, students: STUDENTS });
    expect(found.conflict).toContain('is open already');
    expect(found.accepted).toBeGreaterThan(COURSES);
    expect(found.accepted + found.full + found.enough).toBe(COURSES * STUDENTS);
    expect(found.most).toBeLessThanOrEqual(CAPACITY);
    expect([found.projected, found.queried, found.projectedOnce]).toEqual([found.accepted, found.accepted, true]);
    const pairs = subscriptions(await clients[2]!.sourceReplies(0), 'first');
    expect(pairs).toHaveLength(found.accepted);
    expect(largest(pairs, 0)).toBeLessThanOrEqual(CAPACITY);
    expect(largest(pairs, 1)).toBeLessThanOrEqual(COURSES_PER_STUDENT);
  });

  const nodeOf = {
    leader: (): Promise<string> =>
      until('a leader', PLACED_MS_MAX, async () => {
        const { contexts } = await workspace.status('java5');
        return contexts.find(({ name }) => name === 'default')?.leader ?? null;
      }),
    own: (): Promise<string> =>
      until('the app at a node', PLACED_MS_MAX, async () => {
        const { apps } = await workspace.json<{ readonly apps: readonly { readonly node: string }[] }>('apps');
        return apps[0]?.node ?? null;
      }),
  };

  it.each(FAULTS)(
    'DC-12, DC-23, DP-17 the rules hold while $what, every subscription is stored and streamed once, on all nodes',
    async (fault) => {
      const before = await clients[0]!.head();
      const students = 2 * LOAD_COURSES;
      const work = runCourses({
        prefix: fault.strike + fault.victim,
        courses: LOAD_COURSES,
        capacity: CAPACITY,
        students,
        tolerant: true,
      });
      work.catch(() => undefined);
      const head = async (): Promise<number> =>
        Math.max(...(await Promise.all(clients.map((client) => client.head().catch(() => 0)))));
      await until('events before the kill', PROGRESS_MS_MAX, async () => (await head()) >= before + EVENTS_BEFORE_KILL);
      const victim = await nodeOf[fault.victim]();
      await workspace.ok(fault.strike, victim);
      await workspace.ok('wait', 'leader:default', '--timeout', '15s');
      if (fault.strike === 'kill') await workspace.ok('start', victim);
      const found = await work;
      if (fault.strike === 'freeze') await workspace.ok('resume', victim);
      await workspace.ok('wait', 'caught-up', '--timeout', '30s');
      const stored = await Promise.all(clients.map((client) => client.sourceReplies(before)));
      expect(stored[1]).toEqual(stored[0]);
      expect(stored[2]).toEqual(stored[0]);
      const pairs = subscriptions(stored[0] ?? [], fault.strike + fault.victim);
      expect(new Set(pairs).size).toBe(pairs.length);
      expect(pairs).toHaveLength(found.accepted);
      expect(largest(pairs, 0)).toBeLessThanOrEqual(CAPACITY);
      expect(largest(pairs, 1)).toBeLessThanOrEqual(COURSES_PER_STUDENT);
      expect([found.projected, found.projectedOnce]).toEqual([found.accepted, true]);
    },
  );
});
