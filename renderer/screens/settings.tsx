// Settings of this window and of the app, and where Muster keeps its things (ux.md §13).
import { clock, dayClock } from '../format.ts';
import { CommandLine } from '../parts/command-line.tsx';
import { ControlPort } from '../parts/control-port.tsx';
import { Button, ErrorNote, SubjectError } from '../parts/controls.tsx';
import { DataPanel } from '../parts/data-panel.tsx';
import { changeSetting, Choice, Group, PortField, SharedChoice } from '../parts/settings-parts.tsx';
import { prefer, preferences } from '../preferences.ts';
import { settings } from '../settings.ts';
import { connected, pending, readSettings, wall } from '../store.ts';

function Look() {
  const { theme, density, motion } = preferences.value;
  return (
    <Group title="Look">
      <Choice
        legend="Theme"
        name="theme"
        words={{ system: 'As the system', light: 'Light', dark: 'Dark', contrast: 'High contrast' }}
        value={theme}
        onChoose={(value) => prefer({ theme: value })}
      />
      <Choice
        legend="Density"
        name="density"
        words={{ compact: 'Compact', comfortable: 'Comfortable' }}
        value={density}
        onChoose={(value) => prefer({ density: value })}
      />
      <Choice
        legend="Motion"
        name="motion"
        words={{ system: 'As the system', reduced: 'None' }}
        value={motion}
        onChoose={(value) => prefer({ motion: value })}
      />
      <small>For this window. What follows holds for every window and command.</small>
    </Group>
  );
}

/** Nothing to choose from until the launcher has told what is chosen. */
function Unread() {
  if (settings.value !== null) return null;
  const busy = pending.value.has('settings');
  return (
    <Group title="Shared settings">
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
      <Look />
      <Group title="Keyboard">
        <label class="field-inline">
          <input
            type="checkbox"
            checked={preferences.value.letterKeys}
            onChange={(event) => prefer({ letterKeys: event.currentTarget.checked })}
          />
          Single letters act on the focused card or panel
        </label>
      </Group>
      <Unread />
      {shown !== null && (
        <>
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
