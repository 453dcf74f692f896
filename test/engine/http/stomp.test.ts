import { describe, expect, it } from 'vitest';
import { parseStompFrame, stompText } from '../../../engine/http/stomp.ts';

describe('STOMP frames', () => {
  it('E46 reads what it writes, escapes and a first header of two', () => {
    const text = stompText('SUBSCRIBE', { id: 'a:b\\c\nd', destination: '/topic/cluster' }, 'body');
    expect(parseStompFrame(text)).toEqual({
      command: 'SUBSCRIBE',
      headers: { id: 'a:b\\c\nd', destination: '/topic/cluster' },
    });
    expect(parseStompFrame('STOMP\r\na:1\r\na:2\r\n\r\n\0')).toEqual({ command: 'STOMP', headers: { a: '1' } });
    expect(parseStompFrame('\n')).toBe('heartbeat');
  });

  it.each(['SEND', 'SEND\n\n', 'send\n\n\0', 'SEND\nnocolon\n\n\0', 'SEND\n:x\n\n\0', '\0'])(
    'takes %j for no frame',
    (text) => {
      expect(parseStompFrame(text)).toBeNull();
    },
  );
});
