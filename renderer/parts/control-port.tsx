// The control port: where browsers and commands reach the launcher, and the token that lets them in (ux.md §13).
import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import type { ControlPortView } from '../../electron/contract/control-port.ts';
import type { AppSettings } from '../../electron/contract/settings.ts';
import { tellDone } from '../announce.ts';
import { api, attempt, connected } from '../store.ts';
import { Button, CopyButton, ErrorNote, isBusy, SubjectError } from './controls.tsx';
import { Choice, Group, PortField } from './settings-parts.tsx';

const SUBJECT = 'control-port';
const DOTS = '•'.repeat(16);
const inBrowser = window.muster === undefined;

export function ControlPort() {
  const shown = useSignal<ControlPortView | null>(null);
  const take = (work: () => Promise<ControlPortView>): void => {
    void attempt(SUBJECT, async () => {
      shown.value = await work();
    });
  };
  useEffect(() => {
    if (connected.value) take(() => api().controlPort());
  }, [connected.value]);
  const change = (wish: AppSettings['controlPort']): void => take(() => api().changeControlPort(wish));
  const port = shown.value;
  const blocked = (!connected.value && 'No connection to the launcher') || (isBusy(SUBJECT) && 'Under way');
  return (
    <Group title="Control port">
      <p>
        Browsers on this computer and the command <code>muster</code> reach the clusters there, with the token. Nobody
        else does: it listens on 127.0.0.1 only.
      </p>
      {port !== null && (
        <>
          <Choice
            legend="Listen for commands and browsers"
            name="control-port"
            words={{ on: 'On', off: 'Off' }}
            value={port.wish === 'off' ? 'off' : 'on'}
            disabled={blocked !== false}
            onChoose={(value) => change(value === 'off' ? 'off' : 0)}
            note={
              port.fixed ??
              (inBrowser
                ? 'This page is served there: it ends when the port is closed or moved.'
                : 'While it is off, commands in a terminal cannot see these clusters.')
            }
          />
          {port.wish !== 'off' && (
            <PortField
              label="Port"
              note="From 1024 to 65535; empty: any free one, which commands find by themselves."
              value={port.wish === 0 ? null : port.wish}
              emptyMeans="any"
              subject={`${SUBJECT}-number`}
              onSave={(number) => change(number ?? 0)}
            />
          )}
          {port.problem !== undefined && <ErrorNote error={port.problem} />}
          {port.url !== null && (
            <dl class="settings-facts">
              <div>
                <dt>Listens at</dt>
                <dd>
                  <code>{port.url}</code>{' '}
                  {port.page !== null && <CopyButton text={port.page} label="Copy the address for a browser" />}
                </dd>
              </div>
              <div>
                <dt>Token</dt>
                <dd>
                  <span aria-hidden="true">{DOTS}</span>{' '}
                  {port.token !== null && <CopyButton text={port.token} label="Copy the token" />}{' '}
                  <Button
                    small
                    blocked={blocked}
                    onClick={() =>
                      take(async () => {
                        const renewed = await api().newToken();
                        tellDone('The token is new.');
                        return renewed;
                      })
                    }
                  >
                    New token
                  </Button>
                </dd>
              </div>
              <div>
                <dt>Kept in</dt>
                <dd>
                  <code>{port.tokenFile}</code>
                </dd>
              </div>
            </dl>
          )}
          {port.url === null && port.problem === undefined && <p class="hint">Nothing listens now.</p>}
        </>
      )}
      <SubjectError subject={SUBJECT} />
    </Group>
  );
}
