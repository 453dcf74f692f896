// From where apps reach this cluster, and the switch for apps in containers (ux.md §6).
import { useSignal } from '@preact/signals';
import type { ClusterView } from '../../electron/contract/model.ts';
import { DOCKER_HOST, isHere, worksFrom } from '../../electron/contract/reach.ts';
import { showDock } from '../actions.ts';
import { api, attempt, commandsBlocked } from '../store.ts';
import { Button, isBusy, SubjectError } from './controls.tsx';

const SUBJECT = 'connect';
const HERE = 'localhost';

export function ReachSwitch({ view, host }: { readonly view: ClusterView; readonly host: string }) {
  const present = isHere(host) ? HERE : host;
  const wish = useSignal<string | null>(null);
  const chosen = wish.value ?? present;
  const others = [HERE, DOCKER_HOST].includes(present) ? [] : [present];
  const runs = view.state !== 'stopped';
  const change = async (): Promise<void> => {
    const begun = await attempt(SUBJECT, async () => {
      await api().changeHost(view.name, chosen === HERE ? null : chosen);
    });
    if (!begun) return;
    wish.value = null;
    showDock('tasks');
  };
  return (
    <>
      <label class="field-inline">
        <span>Works from</span>
        <select
          value={chosen}
          onChange={(event) => {
            wish.value = event.currentTarget.value;
          }}
        >
          <option value={HERE}>This computer</option>
          <option value={DOCKER_HOST}>Docker, too</option>
          {others.map((name) => (
            <option key={name}>{name}</option>
          ))}
        </select>
      </label>
      {chosen === present ? (
        <span class="hint">{worksFrom(host)}</span>
      ) : (
        <>
          <Button
            small
            kind="primary"
            blocked={commandsBlocked.value ?? (isBusy(SUBJECT) && 'Under way')}
            onClick={() => void change()}
          >
            {runs ? 'Change and restart' : 'Change'}
          </Button>
          <span class="hint">
            Apps are told {chosen}
            {runs ? '; every node is stopped and started again.' : ' from the next start on.'}
          </span>
        </>
      )}
      <SubjectError subject={SUBJECT} />
    </>
  );
}
