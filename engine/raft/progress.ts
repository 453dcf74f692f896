// The leader's view of one other member: what it holds, what was sent, whether it is heard from.
// Source: etcd-raft tracker.Progress (raft-design.md §1). No snapshot state: logs are never compacted (decision 19).
import { Inflight } from './flow.ts';
import type { Index, MemberId, RaftOptions, StoringRole } from './types.ts';

export class Progress {
  readonly id: MemberId;
  role: StoringRole;
  /** Highest index known durable there in this term; rises only. */
  match: Index = 0;
  /** Next index to send. In `probe` a guess, in `replicate` ahead of `match` (pipelining). */
  next: Index;
  state: 'probe' | 'replicate' = 'probe';
  /** Probe: one message at a time; set until an answer or a heartbeat response arrives. */
  probeSent = false;
  /** An empty append is wanted, to find out whether pipelined appends were lost. */
  pingWanted = false;
  /** Leader tick until which it gets no entries here, because they reach it another way (segments); heartbeats go on. */
  suspendedUntil = 0;
  /** Highest commit index already told, as far as its log reached. */
  commitTold: Index = 0;
  /** Highest read counter it confirmed. */
  readSeq = 0;
  /** Leader ticks at the last sign of life. Starts at the time the leader began to care. */
  heardAt: number;
  everHeard = false;
  /** Heartbeats that it has answered. */
  heartbeats = 0;
  /** The host reported a broken link since the last sign of life. */
  unreachable = false;
  /** Leader tick at which a member taken out of the configuration is no longer served; null for members. */
  departsAt: number | null = null;
  readonly inflight: Inflight;

  constructor(id: MemberId, role: StoringRole, next: Index, now: number, options: RaftOptions) {
    this.id = id;
    this.role = role;
    this.next = next;
    this.heardAt = now;
    this.inflight = new Inflight(options.inflightMessagesMax, options.inflightBytesMax);
  }

  heard(now: number): void {
    this.heardAt = now;
    this.everHeard = true;
    this.unreachable = false;
  }

  recentActive(now: number, windowTicks: number): boolean {
    return this.everHeard && !this.unreachable && now - this.heardAt < windowTicks;
  }

  get paused(): boolean {
    return this.state === 'probe' ? this.probeSent : this.inflight.full;
  }

  becomeProbe(next: Index): void {
    this.state = 'probe';
    this.next = Math.max(next, this.match + 1);
    this.probeSent = false;
    this.pingWanted = false;
    this.inflight.clear();
  }

  /** A positive answer. Returns true when `match` rose. */
  confirmed(index: Index): boolean {
    const rose = index > this.match;
    if (rose) this.match = index;
    if (this.state === 'probe') {
      // Even a repeated answer shows where the logs meet.
      if (index < this.match) return rose;
      this.state = 'replicate';
      this.probeSent = false;
      this.next = this.match + 1;
      this.inflight.clear();
      return rose;
    }
    this.next = Math.max(this.next, this.match + 1);
    this.inflight.freeTo(index);
    return rose;
  }

  /** A refusal of an append whose `prevIndex` was `refused`. Returns false when it is an old one. */
  rejected(refused: Index, hint: Index): boolean {
    if (this.state === 'replicate') {
      if (refused <= this.match) return false;
      this.becomeProbe(this.match + 1);
      return true;
    }
    if (this.next - 1 !== refused) return false;
    this.becomeProbe(Math.max(1, Math.min(refused, hint + 1)));
    return true;
  }
}
