// Raw-bytes gRPC client on @grpc/grpc-js and small helpers for the transport tests.
import * as grpc from '@grpc/grpc-js';
import type { Env, LogFields } from '../../../engine/util/env.ts';

export interface LogLine {
  readonly level: string;
  readonly text: string;
  readonly fields: LogFields;
}

/** Real clock, captured log. */
export function recordingEnv(): Env & { readonly lines: LogLine[] } {
  const lines: LogLine[] = [];
  const at = (level: string) => (text: string, fields?: LogFields) =>
    void lines.push({ level, text, fields: fields ?? {} });
  return {
    now: () => performance.now(),
    wallClock: () => Date.now(),
    random: () => Math.random(),
    log: { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') },
    lines,
  };
}

const bytes = (value: Buffer): Buffer => value;

export class RawClient {
  readonly client: grpc.Client;

  constructor(port: number, options: grpc.ClientOptions = {}) {
    this.client = new grpc.Client(`127.0.0.1:${port}`, grpc.credentials.createInsecure(), {
      'grpc.use_local_subchannel_pool': 1,
      'grpc.max_receive_message_length': 16 * 1024 * 1024,
      'grpc.max_send_message_length': -1,
      ...options,
    });
  }

  unary(path: string, body: Buffer, metadata = new grpc.Metadata(), options: grpc.CallOptions = {}): Promise<Buffer> {
    return new Promise((resolve, reject) => {
      this.client.makeUnaryRequest(path, bytes, bytes, body, metadata, options, (error, value) =>
        error ? reject(error) : resolve(value as Buffer),
      );
    });
  }

  clientStream(path: string): { call: grpc.ClientWritableStream<Buffer>; reply: Promise<Buffer> } {
    let call: grpc.ClientWritableStream<Buffer> | undefined;
    const reply = new Promise<Buffer>((resolve, reject) => {
      call = this.client.makeClientStreamRequest(path, bytes, bytes, (error, value) =>
        error ? reject(error) : resolve(value as Buffer),
      );
    });
    reply.catch(() => undefined);
    return { call: call as grpc.ClientWritableStream<Buffer>, reply };
  }

  serverStream(path: string, body: Buffer): grpc.ClientReadableStream<Buffer> {
    return this.client.makeServerStreamRequest(path, bytes, bytes, body);
  }

  bidi(path: string): grpc.ClientDuplexStream<Buffer, Buffer> {
    return this.client.makeBidiStreamRequest(path, bytes, bytes);
  }

  close(): void {
    this.client.close();
  }
}

/** All messages of a stream; rejects with its ServiceError. */
export function collect(stream: grpc.ClientReadableStream<Buffer>): Promise<Buffer[]> {
  const messages: Buffer[] = [];
  return new Promise((resolve, reject) => {
    stream.on('data', (message: Buffer) => messages.push(message));
    stream.on('error', reject);
    stream.on('end', () => resolve(messages));
  });
}

export async function failure(promise: Promise<unknown>): Promise<grpc.ServiceError> {
  try {
    await promise;
  } catch (error) {
    return error as grpc.ServiceError;
  }
  throw new Error('expected a failed call');
}

/** Resolves when the condition holds; the test's own time limit ends a wait that never does. */
export async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setImmediate(resolve));
}

export interface Gate<T> {
  readonly promise: Promise<T>;
  open(value: T): void;
}

export function gate<T = void>(): Gate<T> {
  let open: (value: T) => void = () => undefined;
  const promise = new Promise<T>((resolve) => {
    open = resolve;
  });
  return { promise, open };
}
