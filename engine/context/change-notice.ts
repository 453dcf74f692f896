// What a node knows once it has answered a change of members: that the group's leader took notice of it, and whether it runs (CX-12).
// Without it the next request to the same node could still meet the state before. Entry point: ChangeNotice.
import { PeerError, type PeerBus } from '../peer/bus.ts';
import type { Env } from '../util/env.ts';
import { pause } from '../util/next-turn.ts';
import type { GroupHost } from './group-host.ts';
import type { Leaders } from './leaders.ts';
import { decodeBody, encodeBody, numberField, textField } from './peer-messages.ts';

/** The change is made in `_admin` whatever happens here: without a leader in reach it is answered after this. */
const NOTICE_MS_MAX = 1_000;
const LOOK_MS = 5;

export interface ChangeNoticeOptions {
  readonly env: Env;
  readonly self: string;
  readonly bus: PeerBus;
  readonly groups: () => GroupHost;
  readonly leaders: Pick<Leaders, 'leaderOf' | 'notePending'>;
}

export class ChangeNotice {
  readonly #options: ChangeNoticeOptions;

  constructor(options: ChangeNoticeOptions) {
    this.#options = options;
    options.bus.handle('change-notice', async (_from, body) => {
      const { head } = decodeBody(body);
      const since = await this.#noticedHere(textField(head, 'context'), numberField(head, 'version'));
      if (since === null) throw new PeerError('PEER_REFUSED', 'no leader that knows the change', 'NOT_LEADER');
      return encodeBody({ since });
    });
  }

  /** Resolves when the leader of the context has looked at the state of `_admin` with this version, or after NOTICE_MS_MAX. */
  async wait(context: string, version: number): Promise<void> {
    const { env, self, bus, leaders } = this.#options;
    const until = env.now() + NOTICE_MS_MAX;
    while (env.now() < until) {
      const leader = leaders.leaderOf(context);
      if (leader === self) {
        if ((await this.#noticedHere(context, version)) !== null) return;
      } else if (leader !== null && bus.isConnected(leader)) {
        const asked = bus.request(leader, 'change-notice', encodeBody({ context, version }), until - env.now());
        const answer = await asked.catch(() => null);
        if (answer !== null) return leaders.notePending(context, numberField(decodeBody(answer).head, 'since'));
      }
      await pause(LOOK_MS);
    }
  }

  /** Null: this node does not lead the context, or did not hear of that version in time. */
  async #noticedHere(context: string, version: number): Promise<number | null> {
    const { env, groups } = this.#options;
    const until = env.now() + NOTICE_MS_MAX;
    while (groups().replica(context)?.isReadyLeader === true && env.now() < until) {
      const since = groups().pendingSinceVersion(context, version);
      if (since !== null) return since;
      await pause(LOOK_MS);
    }
    return null;
  }
}
