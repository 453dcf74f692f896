import { describe, expect, it } from 'vitest';
import {
  decodeScheduleCommand,
  encodeScheduleCommand,
  type ScheduleCommand,
  ScheduleTable,
} from '../../../engine/context/scheduler-state.ts';
import { WireError } from '../../../engine/util/wire.ts';

const NONE: ReadonlySet<string> = new Set();
const schedule = (token: string, instant: number, replaces = ''): ScheduleCommand => ({
  type: 'schedule',
  token,
  instant,
  replaces,
  event: Buffer.from(token),
});

describe('the table of scheduled events', () => {
  it('SC-1: commands survive their bytes, negative and huge instants included; garbage is a WireError', () => {
    const commands: ScheduleCommand[] = [
      schedule('a', -5),
      schedule('b', Number.MAX_SAFE_INTEGER, 'a'),
      { type: 'cancel', token: 'b' },
      { type: 'fired', tokens: ['a', 'b'] },
    ];
    for (const command of commands) expect(decodeScheduleCommand(encodeScheduleCommand(command))).toEqual(command);
    for (const bytes of [[], [8, 9], [8, 1], [255]])
      expect(() => decodeScheduleCommand(Uint8Array.from(bytes))).toThrow(WireError);
  });

  it('SC-2, SC-3: what is due comes by instant, then in order of scheduling, and stays until it is marked', () => {
    const table = new ScheduleTable();
    for (const [i, instant] of [30, 10, 20, 10, -1].entries()) table.apply(i + 1, schedule(`t${i}`, instant));
    const tokens = (now: number, max = 10, except = NONE) => table.due(now, max, except).map(({ token }) => token);
    expect(tokens(9)).toEqual(['t4']);
    expect(tokens(20)).toEqual(['t4', 't1', 't3', 't2']);
    expect(tokens(20, 2)).toEqual(['t4', 't1']);
    expect(tokens(20, 2, new Set(['t4', 't1']))).toEqual(['t3', 't2']);
    expect(table.nextInstant(new Set(['t4']))).toBe(10);
    table.apply(6, { type: 'fired', tokens: ['t4', 't1', 't3'] });
    expect(tokens(100)).toEqual(['t2', 't0']);
    expect(table.size).toBe(2);
  });

  it('SC-4, SC-5: a replacement and a cancel end the old one; unknown tokens change nothing', () => {
    const table = new ScheduleTable();
    table.apply(1, schedule('a', 10));
    table.apply(2, schedule('b', 20, 'a'));
    table.apply(3, { type: 'cancel', token: 'unknown' });
    table.apply(4, schedule('c', 5, 'unknown'));
    expect(table.due(100, 10, NONE).map(({ token }) => token)).toEqual(['c', 'b']);
    table.apply(5, { type: 'cancel', token: 'c' });
    expect([table.nextInstant(NONE), table.has('c'), table.size]).toEqual([20, false, 1]);
  });

  it('SC-1: cancelled events do not pile up', () => {
    const table = new ScheduleTable();
    for (let i = 0; i < 20_000; i += 1) {
      table.apply(2 * i, schedule(`t${i}`, 20_000 - i));
      if (i % 10 !== 0) table.apply(2 * i + 1, { type: 'cancel', token: `t${i}` });
    }
    const due = table.due(Number.MAX_SAFE_INTEGER, 20_000, NONE);
    expect([due.length, due[0]?.token, due[1999]?.token]).toEqual([2000, 't19990', 't0']);
  });
});
