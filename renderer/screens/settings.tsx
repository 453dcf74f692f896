// Settings of the app, the same for every window and command, and where Muster keeps its things (ux.md §13).
import { clock, dayClock } from '../format.ts';
import { CommandLine } from '../parts/command-line.tsx';
import { ControlPort } from '../parts/control-port.tsx';
import { Button, ErrorNote, SubjectError } from '../parts/controls.tsx';
import { DataPanel } from '../parts/data-panel.tsx';
import { changeSetting, Group, PortField, SharedChoice } from '../parts/settings-parts.tsx';
import { settings } from '../settings.ts';
import { connected, pending, readSettings, wall } from '../store.ts';

function Look() {
  return (
    <Group title="Look">
      <SharedChoice
        setting="theme"
        legend="Theme"
        words={{ system: 'As the system', light: 'Light', dark: 'Dark', contrast: 'High contrast' }}
      />
      <SharedChoice setting="density" legend="Density" words={{ compact: 'Compact', comfortable: 'Comfortable' }} />
      <SharedChoice setting="motion" legend="Motion" words={{ system: 'As the system', reduced: 'None' }} />
    </Group>
  );
}

/** Nothing to choose from until the launcher has told what is chosen. */
function Unread() {
  if (settings.value !== null) return null;
  const busy = pending.value.has('settings');
  return (
    <Group title="Settings of every window">
      {busy && <p class="hint">Reading…</p>}
      {!busy && !connected.value && <p class="hint">No connection to the launcher.</p>}
      <SubjectError subject="settings">
        <Button small onClick={() => void readSettings()}>
          Try again
        </Button>
      </SubjectError>
    </Group>
  );
}

function Times() {
  return (
    <Group title="Times">
      <SharedChoice setting="clock" legend="Clock" words={{ '24h': '24 hours', '12h': '12 hours' }} />
      <SharedChoice setting="zone" legend="Time zone" words={{ local: 'Of this computer', utc: 'UTC' }} />
      <SharedChoice
        setting="ages"
        legend="Ages"
        words={{ relative: 'As a span (4 min ago)', time: 'As the time' }}
        note="Files, JSON and what is copied for others keep ISO times."
      />
      <p class="hint">
        Now: <time>{clock(wall.value)}</time>; with its day: <time>{dayClock(wall.value)}</time>
      </p>
    </Group>
  );
}

export function SettingsScreen() {
  const shown = settings.value;
  return (
    <main class="page">
      <h1>Settings</h1>
      {shown?.problem !== undefined && <ErrorNote error={shown.problem} />}
      <Unread />
      {shown !== null && (
        <>
          <Look />
          <Group title="Keyboard">
            <SharedChoice
              setting="letterKeys"
              legend="Single letters"
              words={{ on: 'Act on the focused card or panel', off: 'Do nothing' }}
            />
          </Group>
          <Group title="Hints">
            <SharedChoice
              setting="hints"
              legend="What to try first"
              words={{ on: 'Shown until it was done', off: 'Not shown' }}
            />
          </Group>
          <Times />
          <Group title="Closing the desktop window">
            <SharedChoice
              setting="closeWindow"
              legend="When the window is closed"
              words={{ quit: 'Stop the clusters and quit', tray: 'Leave them running in the tray' }}
              note="Quitting always stops them. Without a tray, start Muster again to get the window back."
            />
          </Group>
          <Group title="Ports of new clusters">
            <PortField
              label="First port"
              note="HTTP of node-1; gRPC is 100 higher, internal 200. Clusters that exist keep theirs. Apps with default settings look for 8024 and 8124."
              value={shown.firstPort}
              subject="setting:firstPort"
              onSave={(port) => void changeSetting('setting:firstPort', { firstPort: port ?? 0 })}
            />
          </Group>
        </>
      )}
      <DataPanel />
      <ControlPort />
      <CommandLine />
    </main>
  );
}
