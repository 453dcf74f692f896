// The life of a control, command or query stream of a client: open it in messaging, hand on what arrives, close it once.
import type { Failure, StreamOwner } from '../messaging/streams.ts';
import { endCall, isFailure } from './acks.ts';
import { contextOf, failCall } from './call-context.ts';
import type { GrpcCall } from './transport.ts';

interface ClosableStream {
  /** The call can take more again. */
  drained(): void;
  closed(): void;
}

/** `open` may throw (AxonError) or answer a failure: both end the call. What `receive` throws ends stream and call. */
export function serveInstructions<T extends ClosableStream>(
  call: GrpcCall,
  open: (owner: StreamOwner) => T | Failure,
  receive: (stream: T, bytes: Buffer) => void,
): void {
  let stream: T;
  try {
    const opened = open({ context: contextOf(call), connectionId: call.connectionId });
    if (isFailure(opened)) {
      endCall(call, opened);
      return;
    }
    stream = opened;
  } catch (error) {
    failCall(call, error);
    return;
  }
  call.onMessage((bytes) => {
    try {
      receive(stream, bytes);
    } catch (error) {
      stream.closed();
      failCall(call, error);
    }
  });
  call.onDrain(() => stream.drained());
  call.onCancel(() => stream.closed());
  call.onHalfClose(() => {
    stream.closed();
    call.end();
  });
}
