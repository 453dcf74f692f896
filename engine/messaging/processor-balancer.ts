// Keeps event processors balanced for which that was asked for (client-behaviour EP-22): the node that leads the context looks
// at them from time to time. The choices are part of the cluster's structure and survive restarts.
import type { ContextDirectory } from '../context/api.ts';
import type { Env } from '../util/env.ts';
import type { ProcessorAdministration } from './processor-admin.ts';
import { AUTO_BALANCE_INTERVAL_MS } from './settings.ts';

export class ProcessorBalancer {
  readonly #env: Env;
  readonly #directory: ContextDirectory;
  readonly #processors: ProcessorAdministration;
  #lastAt: number;
  #busy = false;

  constructor(env: Env, directory: ContextDirectory, processors: ProcessorAdministration) {
    this.#env = env;
    this.#directory = directory;
    this.#processors = processors;
    this.#lastAt = env.now();
  }

  tick(): void {
    const now = this.#env.now();
    if (this.#busy || now - this.#lastAt < AUTO_BALANCE_INTERVAL_MS) return;
    this.#lastAt = now;
    this.#busy = true;
    void this.#balanceAll().finally(() => {
      this.#busy = false;
    });
  }

  async #balanceAll(): Promise<void> {
    for (const { context, name, tokenStore, strategy } of this.#directory.view.balancing ?? []) {
      if (this.#directory.leaderOf(context) !== this.#directory.selfNode.name) continue;
      const outcome = await this.#processors.balance({ context, name, tokenStore }, strategy);
      // A processor that nobody has right now is nothing to talk about.
      if (outcome.kind !== 'failed' || outcome.failure.code === 'AXONIQ-2800') continue;
      this.#env.log.warn(`Event processor ${name} was not balanced: ${outcome.failure.text}`, {
        context,
        code: 'PROCESSOR_NOT_BALANCED',
      });
    }
  }
}
