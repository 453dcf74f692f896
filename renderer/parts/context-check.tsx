// Compares the members of a context, and empties one by typing its name (rows B8, B10; ux.md §8, §1.5).
import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import type { ReplicaCheck, ScrubResult } from '../../electron/contract/events.ts';
import type { ClusterView } from '../../electron/contract/model.ts';
import { count } from '../format.ts';
import { api, attempt } from '../store.ts';
import { Button, Dialog, isBusy, SubjectError } from './controls.tsx';
import { closing, TypedNameDialog } from './typed-name-dialog.tsx';

const SUBJECT = 'context-check';

interface Props {
  readonly view: ClusterView;
  readonly context: string;
  readonly onClose: () => void;
}

/** Members whose engine runs and has a copy: the others have nothing to read, or nobody to read it. */
function storingNodes(view: ClusterView, context: string): readonly string[] {
  const members = view.contexts.find((one) => one.name === context)?.members ?? [];
  return members
    .filter(({ role, state }) => role !== 'MESSAGING_ONLY' && state !== 'down' && state !== 'frozen')
    .map(({ node }) => node);
}

export function VerifyDialog({ view, context, onClose }: Props) {
  const check = useSignal<ReplicaCheck | null>(null);
  const run = (): void =>
    void attempt(SUBJECT, async () => {
      check.value = (await api().verifyReplicas(view.name, [context]))[0] ?? null;
    });
  useEffect(run, [context]);
  const scrubbed = useSignal<readonly ScrubResult[]>([]);
  const scrub = (): void =>
    void attempt(SUBJECT, async () => {
      scrubbed.value = [];
      for (const node of storingNodes(view, context)) {
        scrubbed.value = [...scrubbed.value, ...(await api().scrub(view.name, node, [context]))];
      }
    });
  const found = check.value;
  const close = closing(SUBJECT, onClose);
  return (
    <Dialog title={`Members of ${context} compared`} onClose={close} wide>
      <SubjectError subject={SUBJECT} />
      <p aria-live="polite">
        {found === null
          ? isBusy(SUBJECT)
            ? 'Comparing every log entry…'
            : ''
          : `${found.equal ? '✓' : '✕'} ${found.sentence}`}
      </p>
      {found !== null && (
        <table class="members">
          <caption class="visually-hidden">What each member holds</caption>
          <thead>
            <tr>
              <th scope="col">Member</th>
              <th scope="col">Last token</th>
              <th scope="col">Events</th>
              <th scope="col">Checksum</th>
              <th scope="col">Problem</th>
            </tr>
          </thead>
          <tbody>
            {found.members.map((member) => (
              <tr key={member.node}>
                <th scope="row">{member.node}</th>
                <td class="number">{count(member.lastToken)}</td>
                <td class="number">{count(member.events)}</td>
                <td>{member.checksum ?? '–'}</td>
                <td>{member.problem ?? '–'}</td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
      <ul aria-live="polite" aria-label="Closed segments against their checksums">
        {scrubbed.value.map(({ damage, sentence }) => (
          <li key={sentence}>{`${damage === null ? '✓' : '✕'} ${sentence}`}</li>
        ))}
      </ul>
      <footer class="dialog-foot">
        <span class="push" />
        <Button blocked={isBusy(SUBJECT) && 'Under way'} onClick={scrub}>
          Check files
        </Button>
        <Button blocked={isBusy(SUBJECT) && 'Under way'} onClick={run}>
          Compare again
        </Button>
        <Button onClick={close}>Close</Button>
      </footer>
    </Dialog>
  );
}

export function PurgeDialog({ view, context, typed, onClose }: Props & { readonly typed: boolean }) {
  const shown = view.contexts.find((one) => one.name === context);
  const close = closing(SUBJECT, onClose);
  const purge = async (): Promise<void> => {
    const done = await attempt(SUBJECT, async () => {
      await api().purge(view.name, [context]);
    });
    if (done) close();
  };
  return (
    <TypedNameDialog
      title={`Purge context ${context}?`}
      name={context}
      typed={typed}
      subject={SUBJECT}
      keepWords="Keep them"
      actWords="Purge context"
      act={purge}
      onClose={close}
    >
      <p>
        {`Its ${count((shown?.lastToken ?? -1) + 1)} events and its snapshots are deleted on all ${shown?.members.length ?? 0} members. Roles stay. This can't be undone.`}
      </p>
    </TypedNameDialog>
  );
}
