// Bodies of the requests that nodes send each other for DCB contexts (peer method `dcb`): `op` says which.
import { type DcbChange, encodeDcbChange } from '../storage/dcb-wire.ts';
import type { DcbAppended } from './dcb-api.ts';
import { encodeBody, fieldOf, numberField } from './peer-messages.ts';

/** Parts: the condition when `conditional`, then the events. */
export function encodeAppend(context: string, condition: Uint8Array | null, events: readonly Uint8Array[]): Buffer {
  const parts = condition === null ? events : [condition, ...events];
  return encodeBody({ op: 'append', context, conditional: condition !== null }, parts);
}

/** One part: the change as in the log. */
export function encodeChange(context: string, change: DcbChange): Buffer {
  return encodeBody({ op: 'change', context }, [encodeDcbChange(change)]);
}

/** `done` false: refused by a condition, or nothing there to change. */
export function encodeAppended(appended: DcbAppended | null): Buffer {
  return encodeBody(appended === null ? { done: false } : { done: true, ...appended });
}

export function readAppended(head: unknown): DcbAppended | null {
  if (fieldOf(head, 'done') !== true) return null;
  return { first: numberField(head, 'first'), size: numberField(head, 'size'), marker: numberField(head, 'marker') };
}
