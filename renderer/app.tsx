// The shell: connection banner, the screen of the route, dialogs, status bar, live regions.
import { useSignal } from '@preact/signals';
import type { ComponentChildren } from 'preact';
import { useErrorBoundary } from 'preact/hooks';
import { activeFaults } from '../electron/contract/words.ts';
import { alertMessage, politeMessage } from './announce.ts';
import { tokenRefused } from './api.ts';
import { seconds } from './format.ts';
import { Button, ErrorNote } from './parts/controls.tsx';
import { CreateDialog } from './parts/create-dialog.tsx';
import { ImportDialog } from './parts/import-dialog.tsx';
import { Help, Palette } from './parts/palette.tsx';
import { Rail } from './parts/rail.tsx';
import { StatusBar } from './parts/status-bar.tsx';
import { ToastArea } from './parts/toast.tsx';
import { ClusterScreen } from './screens/cluster.tsx';
import { DiagnosticsScreen } from './screens/diagnostics.tsx';
import { HelpScreen } from './screens/help.tsx';
import { SettingsScreen } from './screens/settings.tsx';
import { StartScreen } from './screens/start.tsx';
import { settings } from './settings.ts';
import { connection, dialog, go, past, reconnectNow, route, view, wall } from './store.ts';

/** A mistake of ours in one screen must not leave an empty window. */
function Boundary({ children }: { readonly children: ComponentChildren }) {
  const [failed] = useErrorBoundary();
  if (failed === undefined) return <>{children}</>;
  const why = failed instanceof Error ? failed.message : String(failed);
  return (
    <main class="start">
      <ErrorNote
        error={{
          code: 'WINDOW_FAILED',
          what: 'The window met an error of its own.',
          why,
          next: ['Your clusters go on running.'],
        }}
      >
        <Button small onClick={() => location.reload()}>
          Reload the window
        </Button>
      </ErrorNote>
    </main>
  );
}

function ConnectionBanner() {
  const state = connection.value;
  if (state.kind === 'connected' || state.kind === 'connecting') return null;
  if (state.kind === 'refused') {
    return (
      <div class="banner">
        <ErrorNote error={tokenRefused} />
      </div>
    );
  }
  const wait = Math.max(0, Math.ceil((state.nextAttemptAt - wall.value) / 1000));
  return (
    <div class="banner lost">
      <p>
        <strong role="alert">No connection to the launcher</strong> for {seconds(wall.value - state.since)}. What you
        see is old; your nodes may go on running. {wait > 0 ? `Next try in ${wait} s.` : 'Trying now.'}
      </p>
      <Button small onClick={reconnectNow}>
        Try now
      </Button>
    </div>
  );
}

/** The app started with standard settings in place of broken ones: told once, wherever one is. */
function SettingsBanner() {
  const dismissed = useSignal(false);
  const problem = settings.value?.problem;
  if (problem === undefined || dismissed.value || route.value.screen === 'settings') return null;
  return (
    <div class="banner">
      <ErrorNote error={problem} onDismiss={() => (dismissed.value = true)}>
        <Button small onClick={() => go({ screen: 'settings' })}>
          Open settings
        </Button>
      </ErrorNote>
    </div>
  );
}

export function App() {
  const where = route.value;
  const shown = view.value;
  const broken = shown !== null && (activeFaults(shown) > 0 || shown.pace !== undefined);
  return (
    <div class="shell" data-screen={where.screen} data-broken={broken} data-past={past.value !== null}>
      <ConnectionBanner />
      <SettingsBanner />
      <Boundary key={where.screen === 'cluster' ? where.page : where.screen}>
        <div class="frame">
          <Rail />
          <div class="content">
            {where.screen === 'start' && <StartScreen />}
            {where.screen === 'settings' && <SettingsScreen />}
            {where.screen === 'diagnostics' && <DiagnosticsScreen />}
            {where.screen === 'help' && <HelpScreen />}
            {where.screen === 'cluster' && <ClusterScreen key={where.name} page={where.page} />}
          </div>
        </div>
        {dialog.value === 'create' && <CreateDialog />}
        {dialog.value === 'import' && <ImportDialog />}
        {dialog.value === 'palette' && <Palette />}
        {dialog.value === 'help' && <Help />}
        <ToastArea />
        <StatusBar view={view.value} />
      </Boundary>
      <div class="visually-hidden" role="status">
        {politeMessage.value}
      </div>
      <div class="visually-hidden" role="alert">
        {alertMessage.value}
      </div>
    </div>
  );
}
