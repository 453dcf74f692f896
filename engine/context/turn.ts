// What the groups of this node do and send in one turn of the loop, together: one batch of messages per node, whatever the number of
// groups (raft-design §5, D9). May not: know groups. Entry point: Turn.
import type { Message } from '../raft/types.ts';
import { nodeOfMember } from './admin-state.ts';

export class Turn {
  readonly #send: (node: string, messages: readonly Message[]) => void;
  #outgoing = new Map<string, Message[]>();
  #work: (() => void)[] = [];

  constructor(send: (node: string, messages: readonly Message[]) => void) {
    this.#send = send;
  }

  /** Runs `work` at the end of this turn, after the events of all sockets and together with that of other groups. */
  soon(work: () => void): void {
    this.#work.push(work);
    if (this.#work.length > 1) return;
    setImmediate(() => {
      const due = this.#work;
      this.#work = [];
      for (const each of due) each();
    });
  }

  /** Sent when the work that runs now is done. */
  queue(messages: readonly Message[]): void {
    if (messages.length === 0) return;
    if (this.#outgoing.size === 0) queueMicrotask(() => this.#flush());
    for (const message of messages) {
      const node = nodeOfMember(message.to);
      const list = this.#outgoing.get(node);
      if (list === undefined) this.#outgoing.set(node, [message]);
      else list.push(message);
    }
  }

  #flush(): void {
    const batches = this.#outgoing;
    this.#outgoing = new Map();
    for (const [node, batch] of batches) this.#send(node, batch);
  }
}
