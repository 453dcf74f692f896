import { describe, expect, it } from 'vitest';
import { type CallStream, ServerCall } from '../../../engine/rpc/grpc-call.ts';
import { FrameDecoder, frameMessage, PREFIX_BYTES } from '../../../engine/rpc/grpc-frame.ts';
import { UNFINISHED_FIRST_BYTES, UNFINISHED_GROWTH } from '../../../engine/rpc/limits.ts';
import { GrpcStatus } from '../../../engine/rpc/transport.ts';
import { ByteBudget } from '../../../engine/util/byte-budget.ts';
import { recordingEnv } from './grpc-test-client.ts';

const MESSAGE_BYTES_MAX = 4 * 1024 * 1024;
const message = Buffer.from(frameMessage(Buffer.alloc(1024 * 1024, 'm')));

class EndedStream implements CallStream {
  status: string | undefined;
  sendMessage(): boolean {
    return true;
  }
  finish(trailers: [string, string][]): void {
    this.status = trailers.find(([name]) => name === 'grpc-status')?.[1];
  }
  setReading(): void {}
}

function openCall(budget: ByteBudget): { call: ServerCall; stream: EndedStream; cancels: () => number } {
  const stream = new EndedStream();
  const where = { env: recordingEnv(), path: '/t.S/M', metadata: new Map(), peer: 'p', connectionId: 1 };
  const call = new ServerCall(stream, { ...where, maxMessageBytes: MESSAGE_BYTES_MAX, budget });
  let cancels = 0;
  call.onCancel(() => {
    cancels += 1;
  });
  return { call, stream, cancels: () => cancels };
}

describe('unfinished messages', () => {
  it('are held in memory that grows with what arrives, whatever length they claim and however small their pieces', () => {
    const budget = new ByteBudget(MESSAGE_BYTES_MAX);
    const decoder = new FrameDecoder(MESSAGE_BYTES_MAX, budget);
    const claim = Buffer.alloc(PREFIX_BYTES);
    claim.writeUInt32BE(MESSAGE_BYTES_MAX, 1);
    expect(decoder.push(claim, [])).toBeNull();
    for (let received = 1; received <= 100_000; received += 1) {
      decoder.push(Buffer.from('x'), []);
      expect(budget.used).toBeLessThanOrEqual(Math.max(UNFINISHED_FIRST_BYTES, received * UNFINISHED_GROWTH));
    }
    decoder.close();
    expect(budget.used).toBe(0);
  });

  it('do not hold the socket chunk they came in', () => {
    const decoder = new FrameDecoder(MESSAGE_BYTES_MAX, new ByteBudget(MESSAGE_BYTES_MAX));
    const first = Buffer.from(message.subarray(0, 50));
    const received: Buffer[] = [];
    decoder.push(first, received);
    first.fill(0);
    decoder.push(message.subarray(50), received);
    expect(received[0]?.equals(message.subarray(PREFIX_BYTES))).toBe(true);
  });

  it('end the call that goes over the limit with RESOURCE_EXHAUSTED, the others go on, and the end gives the memory back', () => {
    const budget = new ByteBudget(3 * message.length);
    const calls = Array.from({ length: 4 }, () => openCall(budget));
    for (const { call } of calls) call.receiveData(message.subarray(0, -1));
    expect(calls.map(({ stream }) => stream.status)).toEqual([
      undefined,
      undefined,
      undefined,
      String(GrpcStatus.RESOURCE_EXHAUSTED),
    ]);
    expect(calls.map(({ cancels }) => cancels())).toEqual([0, 0, 0, 1]);
    calls[0]?.call.receiveCancel();
    const late = openCall(budget);
    let finished = 0;
    late.call.onMessage(() => {
      finished += 1;
    });
    late.call.receiveData(message.subarray(0, -1));
    late.call.receiveData(message.subarray(-1));
    expect({ finished, status: late.stream.status }).toEqual({ finished: 1, status: undefined });
    for (const { call } of calls) call.receiveCancel();
    expect(budget.used).toBe(0);
  });

  it('that wait for a paused call count too, and no more once the call has taken them', () => {
    const budget = new ByteBudget(2 * message.length);
    const { call, stream } = openCall(budget);
    let taken = 0;
    call.onMessage(() => {
      taken += 1;
    });
    call.pause();
    call.receiveData(message);
    expect(budget.used).toBeGreaterThan(message.length);
    call.resume();
    expect({ taken, used: budget.used }).toEqual({ taken: 1, used: 0 });
    call.pause();
    call.receiveData(message);
    call.receiveData(message);
    expect(stream.status).toBe(String(GrpcStatus.RESOURCE_EXHAUSTED));
    expect(budget.used).toBe(0);
  });

  it('of one connection leave the limit of the node to others', () => {
    const node = new ByteBudget(100);
    const [one, other] = [new ByteBudget(60, node), new ByteBudget(60, node)];
    expect([one.take(61), one.take(60), other.take(41), other.take(40)]).toEqual([false, true, false, true]);
    one.give(60);
    expect({ one: one.used, node: node.used }).toEqual({ one: 0, node: 40 });
  });
});
