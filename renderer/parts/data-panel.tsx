// What lies on disk, per cluster, and Clean: what dies is shown first, and events go only with their cluster's name (ux.md §13).
import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import type { Cleaned, DataPart, DataUse } from '../../electron/contract/data-use.ts';
import { bytesShort, plural } from '../format.ts';
import { api, attempt, connected } from '../store.ts';
import { Button, CopyButton, Dialog, isBusy, SubjectError } from './controls.tsx';
import { Empty } from './empty.tsx';
import { Group } from './settings-parts.tsx';
import { closing, TypedNameDialog } from './typed-name-dialog.tsx';

const SUBJECT = 'data';
const CLEAN = 'clean';
const PATHS_SHOWN = 12;

const kindWords: Readonly<Record<DataPart['kind'], string>> = {
  events: 'Events',
  checkpoints: 'Checkpoints',
  logs: 'Logs',
  timeline: 'Timeline',
  leftovers: 'Leftovers',
  bundles: 'Bundles',
  'app-log': 'App log',
};
const nameOf = ({ cluster, kind }: DataPart): string =>
  cluster === null ? kindWords[kind].toLowerCase() : `${kindWords[kind].toLowerCase()} of ${cluster}`;

function Dying({ part }: { readonly part: DataPart }) {
  const { paths } = part;
  return (
    <>
      <p>
        Deletes {bytesShort(part.freedBytes)}: {part.what}. It cannot be brought back.
      </p>
      <ul class="paths" aria-label="What is deleted">
        {paths.slice(0, PATHS_SHOWN).map((one) => (
          <li key={one}>
            <code>{one}</code>
          </li>
        ))}
        {paths.length > PATHS_SHOWN && <li>and {paths.length - PATHS_SHOWN} more</li>}
      </ul>
    </>
  );
}

function CleanDialog({
  part,
  onClose,
  onDone,
}: {
  readonly part: DataPart;
  readonly onClose: () => void;
  readonly onDone: (cleaned: Cleaned) => void;
}) {
  const act = async (): Promise<void> => {
    await attempt(CLEAN, async () => {
      onDone(await api().cleanData(part.cluster, [part.kind], part.needsName ? part.cluster : null));
    });
  };
  const title = `Clean ${nameOf(part)}`;
  const common = { title, onClose: closing(CLEAN, onClose), children: <Dying part={part} /> };
  if (part.needsName && part.cluster !== null) {
    return (
      <TypedNameDialog
        {...common}
        name={part.cluster}
        subject={CLEAN}
        keepWords="Keep it"
        actWords="Delete"
        act={act}
      />
    );
  }
  return (
    <Dialog title={title} onClose={common.onClose}>
      {common.children}
      <SubjectError subject={CLEAN} />
      <footer class="dialog-foot">
        <span class="push" />
        <Button onClick={common.onClose}>Keep it</Button>
        <Button kind="danger" blocked={isBusy(CLEAN) && 'Under way'} onClick={() => void act()}>
          Delete
        </Button>
      </footer>
    </Dialog>
  );
}

function Row({ part, onClean }: { readonly part: DataPart; readonly onClean: () => void }) {
  const blocked = (!connected.value && 'No connection to the launcher') || (part.kept ?? false);
  return (
    <tr>
      <th scope="row">{part.cluster ?? 'The app'}</th>
      <td>{kindWords[part.kind]}</td>
      <td class="number">{bytesShort(part.bytes)}</td>
      <td>{part.kept ?? part.what}</td>
      <td>
        <Button small aria-label={`Clean ${nameOf(part)}`} blocked={blocked} onClick={onClean}>
          Clean…
        </Button>
      </td>
    </tr>
  );
}

export function DataPanel() {
  const use = useSignal<DataUse | null>(null);
  const chosen = useSignal<DataPart | null>(null);
  const freed = useSignal<Cleaned | null>(null);
  const read = (): void => {
    void attempt(SUBJECT, async () => {
      use.value = await api().dataUse();
    });
  };
  useEffect(() => {
    if (connected.value) read();
  }, [connected.value]);
  const shown = use.value;
  return (
    <Group title="Data on disk">
      {shown === null && isBusy(SUBJECT) && <p class="hint">Measuring…</p>}
      {shown !== null && (
        <>
          <p>
            <code>{shown.dir}</code> <CopyButton text={shown.dir} label="Copy the folder" />{' '}
            {shown.freeBytes !== null && <span class="hint">{bytesShort(shown.freeBytes)} free on its disk</span>}
          </p>
          {shown.parts.length === 0 ? (
            <Empty topic="data">
              Nothing is kept yet. Clusters and their logs will be listed here with their size.
            </Empty>
          ) : (
            // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard (WCAG 2.1.1)
            <section class="table-wrap" aria-label="Sizes" tabIndex={0}>
              <table class="settings-table">
                <caption class="visually-hidden">What lies on disk</caption>
                <thead>
                  <tr>
                    <th scope="col">Of</th>
                    <th scope="col">Kind</th>
                    <th scope="col" class="number">
                      Size
                    </th>
                    <th scope="col">What it is</th>
                    <th scope="col">
                      <span class="visually-hidden">Clean</span>
                    </th>
                  </tr>
                </thead>
                <tbody>
                  {shown.parts.map((part) => (
                    <Row key={nameOf(part)} part={part} onClean={() => (chosen.value = part)} />
                  ))}
                </tbody>
              </table>
            </section>
          )}
          {freed.value !== null && (
            <p role="status">
              Freed {bytesShort(freed.value.freedBytes)} (
              {plural(freed.value.deleted.length, 'file or folder', 'files or folders')}).
            </p>
          )}
        </>
      )}
      <SubjectError subject={SUBJECT}>
        <Button small onClick={read}>
          Try again
        </Button>
      </SubjectError>
      {chosen.value !== null && (
        <CleanDialog
          part={chosen.value}
          onClose={() => (chosen.value = null)}
          onDone={(cleaned) => {
            freed.value = cleaned;
            chosen.value = null;
            read();
          }}
        />
      )}
    </Group>
  );
}
