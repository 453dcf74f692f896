import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { KeepAlive } from '../../../engine/rpc/keep-alive.ts';

const told: string[] = [];
const socket = { bytesRead: 24 };
const link = { socket, ping: () => void told.push('ping'), cut: () => void told.push('cut') };

function watch(timeMs: number): KeepAlive {
  return new KeepAlive(link, { timeMs, timeoutMs: 500 });
}

describe('HD-6 keep-alive of the server', () => {
  beforeEach(() => {
    told.length = 0;
    vi.useFakeTimers();
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  it('asks only who was silent for the whole time, and cuts who stays silent', () => {
    watch(100);
    for (let i = 0; i < 10; i += 1) {
      vi.advanceTimersByTime(60);
      socket.bytesRead += 1;
    }
    expect(told).toEqual([]);
    vi.advanceTimersByTime(200);
    expect(told).toEqual(['ping']);
    vi.advanceTimersByTime(400);
    expect(told).toEqual(['ping']);
    vi.advanceTimersByTime(200);
    expect(told).toEqual(['ping', 'cut']);
  });

  it('an answer that waits in the socket counts, when this process was stopped beyond the time', () => {
    watch(100);
    vi.advanceTimersByTime(100);
    vi.advanceTimersToNextTimer(); // the time is over, and the socket has not been looked at
    socket.bytesRead += 17;
    vi.advanceTimersByTime(1);
    expect(told).toEqual(['ping']);
    vi.advanceTimersByTime(100);
    expect(told).toEqual(['ping', 'ping']);
  });

  it('0 asks nobody, and nobody is asked after the end', () => {
    watch(0);
    const ended = watch(100);
    vi.advanceTimersByTime(100);
    expect(told).toEqual(['ping']);
    ended.stop();
    vi.advanceTimersByTime(10_000);
    expect(told).toEqual(['ping']);
  });
});
