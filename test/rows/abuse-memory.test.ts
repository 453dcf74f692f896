// Clients that make a node keep what they send: what it keeps stays within the limits that the engine names, and others are
// served meanwhile. A node of its own for each, so that one's leavings do not count for the next.
import type http2 from 'node:http2';
import { afterEach, describe, expect, it } from 'vitest';
import { HANDLER_QUEUE_BYTES_MAX } from '../../engine/messaging/settings.ts';
import { DEFAULT_MAX_MESSAGE_BYTES, frameMessage } from '../../engine/rpc/grpc-frame.ts';
import {
  CONNECTION_WINDOW_BYTES,
  UNFINISHED_BYTES_MAX,
  UNFINISHED_BYTES_PER_CONNECTION_MAX,
} from '../../engine/rpc/limits.ts';
import { WireWriter } from '../../engine/util/wire.ts';
import { openCall, openSession } from './abuser.ts';
import { type Answer, event, NodeClient, payload } from './client.ts';
import { TestCluster } from './harness.ts';
import { residentBytes } from './memory.ts';
import { HOST, type TestNode } from './test-node.ts';
import { until } from './wait.ts';

const MEBIBYTE = 1024 * 1024;
const WAIT_MS = 60_000;
/** What a busy engine grows by besides: heap, socket buffers, and chunks of received data that wait for the garbage collector. */
const SLACK_BYTES = 128 * MEBIBYTE;
const RESOURCE_EXHAUSTED = '8';
const UNFINISHED_CALLS = 60;
/** Of the largest message that there may be; the rest never comes. */
const UNFINISHED_BYTES = 3 * MEBIBYTE;
const COMMAND_BYTES = MEBIBYTE;
/** Far more than the queue of a handler holds. */
const COMMANDS = 300;

let cluster: TestCluster;
let node: TestNode;
let witness: NodeClient;
let memoryBefore = 0;
let sequence = 0;
afterEach(() => cluster?.dispose());

async function started(): Promise<void> {
  cluster = await TestCluster.started({ nodes: 1, contexts: '_admin,default' });
  node = cluster.at(1);
  witness = node.client();
  sequence = 0;
  await served();
  memoryBefore = residentBytes(node);
}

/** The other client writes and reads on the connection that it has had all along. */
async function served(): Promise<void> {
  await witness.append([event('witness', sequence)]);
  sequence += 1;
  expect((await witness.readAggregate('witness')).length).toBe(sequence);
  expect(node.exit).toBeNull();
}

function expectGrowthBelow(bytes: number): void {
  const grown = residentBytes(node) - memoryBefore;
  expect(grown / MEBIBYTE, 'MiB more than before').toBeLessThan(bytes / MEBIBYTE);
}

describe('messages that never end', () => {
  it('hold no more than the limits for them; the calls beyond end with RESOURCE_EXHAUSTED, other clients are served', async () => {
    await started();
    const half = Buffer.alloc(UNFINISHED_BYTES, 'z');
    half[0] = 0;
    half.writeUInt32BE(DEFAULT_MAX_MESSAGE_BYTES, 1);
    const fill = (): { refused: number; session: http2.ClientHttp2Session } => {
      const session = openSession(node);
      const seen = { refused: 0, session };
      for (let i = 0; i < UNFINISHED_CALLS; i += 1) {
        const call = openCall(session, 'event.EventStore/AppendEvent');
        call.on('response', (headers) => {
          if (headers['grpc-status'] === RESOURCE_EXHAUSTED) seen.refused += 1;
        });
        call.resume().write(half);
      }
      return seen;
    };
    const connections: { readonly refused: number; readonly session: http2.ClientHttp2Session }[] = [];
    for (let held = 0; held <= 2 * UNFINISHED_BYTES_MAX; held += UNFINISHED_CALLS * UNFINISHED_BYTES) {
      connections.push(fill());
      await served();
    }
    // What does not fit was refused: beyond the share of a connection, and beyond the limit over all.
    const fitting = (limit: number): number => Math.floor(limit / UNFINISHED_BYTES);
    const share = UNFINISHED_CALLS - fitting(UNFINISHED_BYTES_PER_CONNECTION_MAX);
    const all = connections.length * UNFINISHED_CALLS - fitting(UNFINISHED_BYTES_MAX);
    const refused = () => connections.map((connection) => connection.refused);
    await until('the refusals on each connection', WAIT_MS, () => refused().every((number) => number >= share));
    await until('all refusals', WAIT_MS, () => refused().reduce((sum, number) => sum + number, 0) >= all);
    expectGrowthBelow(UNFINISHED_BYTES_MAX + SLACK_BYTES);
    await served();
    for (const { session } of connections) session.destroy();
    // Room again: a large message in many pieces passes.
    const large = 'x'.repeat(UNFINISHED_BYTES);
    await until('room for others', WAIT_MS, () =>
      witness.append([event('large', 0, large)]).then(
        () => true,
        () => false,
      ),
    );
  });
});

/** A command handler that takes permits without end. */
function openHandler(session: http2.ClientHttp2Session): http2.ClientHttp2Stream {
  const stream = openCall(session, 'command.CommandService/OpenStream');
  const subscription = new WireWriter().text(2, 'stuck').text(3, 'c').text(4, 'stuck').finish();
  const permits = new WireWriter().text(2, 'stuck').int(3, 1_000_000).finish();
  stream.write(frameMessage(new WireWriter().bytes(1, subscription).finish()));
  stream.write(frameMessage(new WireWriter().bytes(3, permits).finish()));
  return stream;
}

/** The codes of answers so far, by number. */
class Dispatcher {
  readonly codes = new Map<string, number>();
  readonly #asker = new NodeClient(HOST, node.ports.grpc);
  readonly #calls: Promise<void>[] = [];

  answers(code: string): number {
    return this.codes.get(code) ?? 0;
  }

  dispatch(text: string): void {
    const id = `stuck-${this.#calls.length}`;
    const request = { message_identifier: id, name: 'stuck', payload: payload(text), client_id: 'asker' };
    const answer = this.#asker.unary<Answer>('command.CommandService', 'Dispatch', request, WAIT_MS);
    const count = (code: string): void => void this.codes.set(code, this.answers(code) + 1);
    this.#calls.push(
      answer.then(
        ({ error_code }) => count(error_code),
        (error) => count(String(error.code)),
      ),
    );
  }

  async handlerKnown(): Promise<void> {
    await until('the handler to be known', WAIT_MS, async () => {
      const answer = await witness.dispatch('stuck', 'probe', 300).catch(() => null);
      return answer === null; // it waits: no AXONIQ-4000
    });
  }

  async end(): Promise<void> {
    await Promise.all(this.#calls);
    this.#asker.close();
  }
}

describe('CM-14 a handler that takes permits', () => {
  it('and reads nothing fills its own queue only, then askers get AXONIQ-1900', async () => {
    await started();
    const session = openSession(node);
    const stream = openHandler(session);
    stream.pause();
    const dispatcher = new Dispatcher();
    await dispatcher.handlerKnown();
    const text = 'x'.repeat(COMMAND_BYTES);
    for (let i = 0; i < COMMANDS; i += 1) dispatcher.dispatch(text);
    const queued = HANDLER_QUEUE_BYTES_MAX / COMMAND_BYTES;
    await until('the refusals', WAIT_MS, () => dispatcher.answers('AXONIQ-1900') >= COMMANDS - queued);
    // Two messages are on their way to the handler: one that it has and one in the window of its connection.
    expect(dispatcher.answers('AXONIQ-1900')).toBeLessThan(COMMANDS - queued + 5);
    expectGrowthBelow(HANDLER_QUEUE_BYTES_MAX + CONNECTION_WINDOW_BYTES + SLACK_BYTES);
    await served();
    session.destroy();
    await dispatcher.end();
    // What was sent lost its handler, what waited has none any more.
    expect([...dispatcher.codes.keys()].sort()).toEqual(['AXONIQ-1900', 'AXONIQ-4000', 'AXONIQ-4001']);
  });

  it('and reads all but answers nothing costs no memory: what it has is not kept for it', async () => {
    await started();
    const session = openSession(node);
    const stream = openHandler(session);
    let received = 0;
    stream.on('data', (chunk: Buffer) => {
      received += chunk.length;
    });
    const dispatcher = new Dispatcher();
    await dispatcher.handlerKnown();
    const text = 'x'.repeat(COMMAND_BYTES);
    for (let i = 0; i < COMMANDS; i += 1) {
      dispatcher.dispatch(text);
      await until('the handler to have it', WAIT_MS, () => received > (i + 1) * COMMAND_BYTES);
    }
    expect(dispatcher.codes.size).toBe(0);
    expectGrowthBelow(SLACK_BYTES);
    await served();
    session.destroy();
    await dispatcher.end();
    expect([...dispatcher.codes]).toEqual([['AXONIQ-4001', COMMANDS]]);
  });
});
