// Receipts of instructions on the control, command and query streams (client-behaviour CT-3, CM-2, CM-4), and how
// messaging's failures become the end of a call.
import { AxonError } from '../context/api.ts';
import type { Failure } from '../messaging/streams.ts';
import { grpcErrorFrom } from './errors.ts';
import type { common } from './proto.ts';
import type { GrpcCall } from './transport.ts';

export const UNSUPPORTED_INSTRUCTION: Failure = { code: 'AXONIQ-1002', text: 'Unsupported instruction' };

/** `failure` null is success. `nodeName` is the location of the error. */
export function acknowledgement(
  instructionId: string,
  failure: Failure | null,
  nodeName: string,
): common.InstructionAckInput {
  if (failure === null) return { instructionId, success: true };
  const error = { errorCode: failure.code, location: nodeName, details: [failure.text], message: failure.text };
  return { instructionId, success: false, error };
}

/** Ends the call with OK for null. */
export function endCall(call: GrpcCall, failure: Failure | null): void {
  call.end(failure === null ? undefined : grpcErrorFrom(new AxonError(failure.code, failure.text)));
}

export function isFailure<T extends object>(opened: T | Failure): opened is Failure {
  return 'code' in opened && 'text' in opened;
}
