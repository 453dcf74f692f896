// The command line as the window tells of it: how it is called here, and its link among the user's own commands (ux.md §13).
import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import type { CommandLinkView, CommandLinkWish } from '../../electron/contract/command-link.ts';
import { tellDone } from '../announce.ts';
import { api, attempt, connected } from '../store.ts';
import { Button, CopyButton, isBusy, SubjectError } from './controls.tsx';
import { Group } from './settings-parts.tsx';

const SUBJECT = 'command-line';

/** The one thing that can be done about the link; null: nothing from here. */
const actions: {
  readonly [S in CommandLinkView['state']]: { readonly wish: CommandLinkWish; readonly label: string } | null;
} = {
  absent: { wish: 'install', label: 'Install muster' },
  another: { wish: 'replace', label: 'Let it lead here' },
  installed: { wish: 'remove', label: 'Remove muster' },
  foreign: null,
  provided: null,
  impossible: null,
};

export function CommandLine() {
  const shown = useSignal<{ readonly command: string; readonly link: CommandLinkView } | null>(null);
  const read = (): void =>
    void attempt(SUBJECT, async () => {
      const [{ command }, link] = await Promise.all([api().about(), api().commandLink()]);
      shown.value = { command, link };
    });
  useEffect(() => {
    if (!connected.value) return;
    read();
    // The link may have been changed in a terminal meanwhile.
    window.addEventListener('focus', read);
    return () => window.removeEventListener('focus', read);
  }, [connected.value]);
  const change = (wish: CommandLinkWish): void =>
    void attempt(SUBJECT, async () => {
      const link = await api().changeCommandLink(wish);
      const { command } = await api().about();
      shown.value = { command, link };
      tellDone(link.sentence);
    });
  return (
    <Group title="Command line">
      <p>Every action of this window is a command, and both see the same clusters.</p>
      {shown.value !== null && (
        <p>
          <code>{shown.value.command} --help</code> <CopyButton text={shown.value.command} label="Copy the command" />
        </p>
      )}
      {shown.value !== null && <Link link={shown.value.link} onChange={change} />}
      <SubjectError subject={SUBJECT} />
    </Group>
  );
}

function Link({
  link,
  onChange,
}: {
  readonly link: CommandLinkView;
  readonly onChange: (wish: CommandLinkWish) => void;
}) {
  const action = actions[link.state];
  return (
    <>
      <p>{link.sentence}</p>
      {link.next.length > 0 && (
        <ul>
          {link.next.map((step) => (
            <li key={step}>{step}</li>
          ))}
        </ul>
      )}
      <p class="field-row">
        {action !== null && (
          <Button
            blocked={(!connected.value && 'No connection to the launcher') || (isBusy(SUBJECT) && 'Under way')}
            title={link.state === 'installed' ? link.file : `${link.file} → ${link.target}`}
            onClick={() => onChange(action.wish)}
          >
            {action.label}
          </Button>
        )}
        {link.pathLine !== null && (
          <CopyButton text={link.pathLine} label="Copy the line for the PATH" words="Copy the line" />
        )}
      </p>
    </>
  );
}
