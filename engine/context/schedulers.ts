// The event scheduler of every context as the client API sees it, on any node: commands travel to the leader (client-behaviour
// SC-1 to SC-7). Entry point: Schedulers.
import { randomUUID } from 'node:crypto';
import { NotLeaderError } from './errors.ts';
import { callLeader, type LeaderCallDeps } from './leader-call.ts';
import { answered } from './peer-handlers.ts';
import { decodeBody, encodeBody, PeerBodyError, textField } from './peer-messages.ts';
import type { Replica } from './replica.ts';
import { classicEvents, dcbEvents } from './scheduled-kind.ts';
import { ContextScheduler } from './scheduler.ts';
import { decodeScheduleCommand, encodeScheduleCommand, type ScheduleCommand } from './scheduler-state.ts';

const SCHEDULE_TIMEOUT_MS = 9_500;

/** Rejections are AxonError as for appends (EventStoreAccess). */
export interface EventSchedulerAccess {
  /** `event` is a raw protobuf `Event` of the context's kind. Resolves with the token once the schedule is committed (SC-1). */
  schedule(instantMs: number, event: Uint8Array): Promise<string>;
  /** Cancels `token`, known or not, and schedules anew in one step (SC-4). */
  reschedule(token: string, instantMs: number, event: Uint8Array): Promise<string>;
  /** Unknown and fired tokens are fine (SC-5). */
  cancel(token: string): Promise<void>;
}

export interface SchedulerDirectory {
  /** `dcb`: of a DCB context, whose events are `dcb.Event`s (SC-8). */
  scheduler(context: string, dcb: boolean): EventSchedulerAccess;
}

export class Schedulers implements SchedulerDirectory {
  readonly #deps: LeaderCallDeps;
  readonly #local = new Map<string, ContextScheduler>();

  constructor(deps: LeaderCallDeps) {
    this.#deps = deps;
    deps.bus.handle('schedule', (_from, body) =>
      answered(async () => {
        const { head, parts } = decodeBody(body);
        const bytes = parts[0];
        if (bytes === undefined) throw new PeerBodyError('no schedule command in the request');
        await this.#proposeHere(textField(head, 'context'), decodeScheduleCommand(bytes));
        return encodeBody({});
      }),
    );
  }

  /** The replica's own scheduler; it ends with the replica. */
  attach(replica: Replica): void {
    this.#local.set(replica.context, new ContextScheduler(this.#deps.env, replica));
    for (const [context, scheduler] of this.#local) if (scheduler.closed) this.#local.delete(context);
  }

  scheduler(context: string, dcb: boolean): EventSchedulerAccess {
    const kind = dcb ? dcbEvents : classicEvents;
    const schedule = async (replaces: string, instantMs: number, event: Uint8Array): Promise<string> => {
      kind.check(event);
      const token = randomUUID();
      const limit = Number.MAX_SAFE_INTEGER;
      const instant = Math.max(-limit, Math.min(limit, Math.trunc(instantMs)));
      await this.#propose(context, { type: 'schedule', token, instant, replaces, event });
      return token;
    };
    return {
      schedule: (instantMs, event) => schedule('', instantMs, event),
      reschedule: schedule,
      cancel: (token) => this.#propose(context, { type: 'cancel', token }),
    };
  }

  #propose(context: string, command: ScheduleCommand): Promise<void> {
    const there = async (leader: string): Promise<void> => {
      const body = encodeBody({ context }, [encodeScheduleCommand(command)]);
      await this.#deps.bus.request(leader, 'schedule', body, SCHEDULE_TIMEOUT_MS);
    };
    return callLeader(context, this.#deps, () => this.#proposeHere(context, command), there);
  }

  async #proposeHere(context: string, command: ScheduleCommand): Promise<void> {
    const scheduler = this.#local.get(context);
    if (scheduler === undefined || scheduler.closed) throw new NotLeaderError(context);
    await scheduler.propose(command);
  }
}
