// The SETTINGS frames of both sides.
import {
  CONNECTION_WINDOW_BYTES,
  HEADER_LIST_BYTES_MAX,
  STREAM_WINDOW_BYTES,
  STREAMS_PER_CONNECTION_MAX,
} from '../limits.ts';
import {
  ConnectionError,
  DEFAULT_WINDOW_BYTES,
  ErrorCode,
  FRAME_BYTES_MAX,
  PEER_FRAME_BYTES_MAX,
  Setting,
  WINDOW_BYTES_MAX,
} from './protocol.ts';

const SETTING_BYTES = 6;

/** Body of our SETTINGS frame. */
export const OWN_SETTINGS = settingsBody([
  [Setting.MAX_CONCURRENT_STREAMS, STREAMS_PER_CONNECTION_MAX],
  [Setting.INITIAL_WINDOW_SIZE, STREAM_WINDOW_BYTES],
  [Setting.MAX_HEADER_LIST_SIZE, HEADER_LIST_BYTES_MAX],
]);

/** What our first WINDOW_UPDATE adds to the window of the connection, which has no setting. */
export const CONNECTION_WINDOW_EXTRA = CONNECTION_WINDOW_BYTES - DEFAULT_WINDOW_BYTES;

export function settingsBody(settings: readonly (readonly [id: number, value: number])[]): Buffer {
  const body = Buffer.alloc(settings.length * SETTING_BYTES);
  settings.forEach(([id, value], i) => {
    body.writeUInt16BE(id, i * SETTING_BYTES);
    body.writeUInt32BE(value, i * SETTING_BYTES + 2);
  });
  return body;
}

export interface PeerSettings {
  /** Undefined: not in the frame. */
  readonly initialWindow: number | undefined;
  readonly headerTable: number | undefined;
}

/** Checks and reads a client's SETTINGS; throws ConnectionError (RFC 9113 §6.5.2). */
export function readSettings(body: Buffer): PeerSettings {
  if (body.length % SETTING_BYTES !== 0) throw new ConnectionError(ErrorCode.FRAME_SIZE_ERROR, 'SETTINGS cut short');
  let initialWindow: number | undefined;
  let headerTable: number | undefined;
  for (let at = 0; at < body.length; at += SETTING_BYTES) {
    const id = body.readUInt16BE(at);
    const value = body.readUInt32BE(at + 2);
    if (id === Setting.INITIAL_WINDOW_SIZE) {
      if (value > WINDOW_BYTES_MAX) throw new ConnectionError(ErrorCode.FLOW_CONTROL_ERROR, `initial window ${value}`);
      initialWindow = value;
    } else if (id === Setting.HEADER_TABLE_SIZE) headerTable = value;
    else if (id === Setting.ENABLE_PUSH && value > 1)
      throw new ConnectionError(ErrorCode.PROTOCOL_ERROR, `ENABLE_PUSH ${value}`);
    else if (id === Setting.MAX_FRAME_SIZE && (value < FRAME_BYTES_MAX || value > PEER_FRAME_BYTES_MAX)) {
      throw new ConnectionError(ErrorCode.PROTOCOL_ERROR, `MAX_FRAME_SIZE ${value}`);
    }
  }
  return { initialWindow, headerTable };
}
