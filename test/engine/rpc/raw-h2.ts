// A bare HTTP/2 client that sends exactly the frames it is told, legal or not.
import net from 'node:net';

export const Frame = {
  DATA: 0,
  HEADERS: 1,
  PRIORITY: 2,
  RST: 3,
  SETTINGS: 4,
  PUSH: 5,
  PING: 6,
  GOAWAY: 7,
  WINDOW: 8,
  CONTINUATION: 9,
} as const;
export const Flag = { END_STREAM: 1, ACK: 1, END_HEADERS: 4, PADDED: 8, PRIORITY: 32 } as const;
export const PREFACE = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');

export interface ReceivedFrame {
  readonly type: number;
  readonly flags: number;
  readonly stream: number;
  readonly payload: Buffer;
}

export function frame(type: number, flags: number, stream: number, payload: Uint8Array = Buffer.alloc(0)): Buffer {
  const bytes = Buffer.alloc(9 + payload.length);
  bytes.writeUIntBE(payload.length, 0, 3);
  bytes[3] = type;
  bytes[4] = flags;
  bytes.writeUInt32BE(stream, 5);
  bytes.set(payload, 9);
  return bytes;
}

export function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

/** Header block of literals without indexing. */
export function literals(fields: readonly (readonly [string, string])[]): Buffer {
  return Buffer.concat(fields.flatMap(([name, value]) => [Buffer.from([0]), text(name), text(value)]));
}

function text(value: string): Buffer {
  const bytes = Buffer.from(value, 'latin1');
  if (bytes.length < 127) return Buffer.concat([Buffer.from([bytes.length]), bytes]);
  const length = [127];
  let rest = bytes.length - 127;
  while (rest >= 128) {
    length.push((rest % 128) + 128);
    rest = Math.floor(rest / 128);
  }
  return Buffer.concat([Buffer.from([...length, rest]), bytes]);
}

export function requestFields(path: string): [string, string][] {
  return [
    [':method', 'POST'],
    [':scheme', 'http'],
    [':path', path],
    [':authority', 'localhost'],
    ['content-type', 'application/grpc'],
    ['te', 'trailers'],
  ];
}

export class RawH2 {
  readonly socket: net.Socket;
  readonly frames: ReceivedFrame[] = [];
  closed = false;
  #input = Buffer.alloc(0);

  constructor(socket: net.Socket) {
    this.socket = socket;
    socket.on('error', () => undefined);
    socket.on('close', () => {
      this.closed = true;
    });
    socket.on('data', (chunk: Buffer) => this.#receive(chunk));
  }

  /** Connected, preface and empty SETTINGS sent. */
  static open(port: number): Promise<RawH2> {
    return new Promise((resolve, reject) => {
      const socket = net.connect(port, '127.0.0.1');
      socket.once('error', reject);
      socket.once('connect', () => {
        const client = new RawH2(socket);
        client.send(PREFACE, frame(Frame.SETTINGS, 0, 0));
        resolve(client);
      });
    });
  }

  send(...parts: readonly Uint8Array[]): void {
    this.socket.write(Buffer.concat(parts));
  }

  request(stream: number, path: string, endStream = false): void {
    this.send(
      frame(Frame.HEADERS, Flag.END_HEADERS | (endStream ? Flag.END_STREAM : 0), stream, literals(requestFields(path))),
    );
  }

  data(stream: number, payload: Uint8Array, endStream = false): void {
    this.send(frame(Frame.DATA, endStream ? Flag.END_STREAM : 0, stream, payload));
  }

  reset(stream: number, code = 8): void {
    this.send(frame(Frame.RST, 0, stream, uint32(code)));
  }

  of(type: number, stream = 0): ReceivedFrame[] {
    return this.frames.filter((received) => received.type === type && received.stream === stream);
  }

  /** Error code of the GOAWAY received, or null. */
  get goaway(): number | null {
    return this.of(Frame.GOAWAY)[0]?.payload.readUInt32BE(4) ?? null;
  }

  /** Error code of the RST_STREAM received for the stream, or null. */
  resetOf(stream: number): number | null {
    return this.of(Frame.RST, stream)[0]?.payload.readUInt32BE(0) ?? null;
  }

  destroy(): void {
    this.socket.destroy();
  }

  #receive(chunk: Buffer): void {
    this.#input = Buffer.concat([this.#input, chunk]);
    while (this.#input.length >= 9) {
      const length = this.#input.readUIntBE(0, 3);
      if (this.#input.length < 9 + length) return;
      const [type, flags] = [this.#input[3] as number, this.#input[4] as number];
      this.frames.push({
        type,
        flags,
        stream: this.#input.readUInt32BE(5),
        payload: this.#input.subarray(9, 9 + length),
      });
      this.#input = this.#input.subarray(9 + length);
    }
  }
}
