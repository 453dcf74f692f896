// One node: what it is, how it is, where to reach it, what can be done to it (ux.md §4.1).
import { useMemo } from 'preact/hooks';
import type { ClusterView, NodeRole, NodeView } from '../../electron/contract/model.ts';
import { act, showLogs } from '../actions.ts';
import { bytes, count, percent, plural, seconds } from '../format.ts';
import { keyFor } from '../keys.ts';
import { connected, context as shownContext, errors, logNode, now } from '../store.ts';
import { Button, CopyButton, isBusy, StateBadge, SubjectError, Swatch, stateWord } from './controls.tsx';
import { CrashButtons, StartErrorButtons } from './error-buttons.tsx';
import { FirstFaultHint } from './first-fault.tsx';
import { Crown } from './icons.tsx';
import { NodeActions } from './node-actions.tsx';
import { NodeMenu } from './node-menu.tsx';

/** The state as words; staleness counts on with the clock instead of repeating the last good value. */
function wordOf(node: NodeView): string {
  if (node.state === 'stale' || !connected.value)
    return node.seenAt === null ? 'No news' : `No news ${seconds(now.value - node.seenAt)}`;
  if (node.state === 'catching-up' && node.catchUpPercent !== null)
    return `Catching up ${Math.floor(node.catchUpPercent)} %`;
  if (node.state === 'crashed' && node.exit !== null)
    return `Crashed (${node.exit.signal ?? `exit ${node.exit.code ?? '?'}`})`;
  return stateWord[node.state];
}

const roleMark = { PRIMARY: 'V', ACTIVE_BACKUP: 'B', PASSIVE_BACKUP: 'P', MESSAGING_ONLY: 'M' } as const;
const roleWord = {
  PRIMARY: 'voter',
  ACTIVE_BACKUP: 'active backup',
  PASSIVE_BACKUP: 'passive backup',
  MESSAGING_ONLY: 'messaging only',
} as const;

function Roles({ view, node }: { readonly view: ClusterView; readonly node: NodeView }) {
  const hosted = view.contexts.flatMap((one) => {
    const member = one.members.find((each) => each.node === node.name);
    return member === undefined ? [] : [{ context: one.name, role: member.role, leads: node.leads.includes(one.name) }];
  });
  // Drawn again only when a role or a leader changes, not with every view.
  const key = JSON.stringify(hosted);
  return useMemo(() => <RoleMarks hosted={hosted} />, [key]);
}

/** A card names so many contexts, those that it leads first; the contexts page has all. */
const HOSTED_SHOWN_MAX = 8;

interface Hosted {
  readonly context: string;
  readonly role: NodeRole;
  readonly leads: boolean;
}

function RoleMarks({ hosted }: { readonly hosted: readonly Hosted[] }) {
  if (hosted.length === 0) return null;
  const shown = [...hosted].sort((left, right) => Number(right.leads) - Number(left.leads)).slice(0, HOSTED_SHOWN_MAX);
  const rest = hosted.filter((one) => !shown.includes(one));
  return (
    <ul class="roles" aria-label="Contexts">
      {shown.map(({ context, role, leads }) => (
        <li
          key={context}
          class={leads ? 'role leads' : 'role'}
          title={leads ? `leads ${context}` : `${roleWord[role]} of ${context}`}
        >
          {leads ? <Crown /> : <span aria-hidden="true">{roleMark[role]}</span>}
          <span class="visually-hidden">{leads ? 'leads' : roleWord[role]}</span> {context}
        </li>
      ))}
      {rest.length > 0 && (
        <li class="role" title={rest.map((one) => one.context).join(', ')}>
          and {rest.length} more
        </li>
      )}
    </ul>
  );
}

function Address(props: {
  readonly label: string;
  readonly purpose: string;
  readonly host: string;
  readonly port: number;
  readonly copyLabel: string;
}) {
  const address = `${props.host}:${props.port}`;
  return (
    <div class="address">
      <dt>{props.label}</dt>
      <dd>
        <code title={props.purpose}>{address}</code>
        <CopyButton text={address} label={props.copyLabel} />
        <span class="purpose">{props.purpose}</span>
      </dd>
    </div>
  );
}

/** They stay for the life of a node. */
function Addresses({ node }: { readonly node: NodeView }) {
  return useMemo(
    () => (
      <dl class="addresses">
        <Address
          label="gRPC"
          purpose="apps connect here"
          host={node.host}
          port={node.grpc}
          copyLabel={`Copy gRPC address of ${node.name}`}
        />
        <Address
          label="HTTP"
          purpose="REST, health"
          host={node.host}
          port={node.http}
          copyLabel={`Copy HTTP address of ${node.name}`}
        />
      </dl>
    ),
    [node.name, node.host, node.grpc, node.http],
  );
}

function Facts({ node }: { readonly node: NodeView }) {
  if (node.pid === null) return null;
  // What it told last is no news; only its process is known then (ux.md §1).
  const silent = !connected.value || node.state === 'stale' || node.state === 'frozen';
  if (silent) {
    const seen = node.seenAt === null ? 'told nothing yet' : `last seen ${seconds(now.value - node.seenAt)} ago`;
    return (
      <p class="facts">
        pid {node.pid} · {seen}
      </p>
    );
  }
  const facts = [
    `pid ${node.pid}`,
    node.rssBytes === null ? null : bytes(node.rssBytes),
    node.cpuPercent === null ? null : percent(node.cpuPercent),
    node.startedAt === null ? null : `up ${seconds(now.value - node.startedAt)}`,
    plural(node.apps, 'app'),
  ];
  return <p class="facts">{facts.filter((fact) => fact !== null).join(' · ')}</p>;
}

/** What a person wants to see of a dead node first: how it ended and its last words. */
function Exit({ view, node }: { readonly view: ClusterView; readonly node: NodeView }) {
  if (node.state !== 'crashed' || node.exit === null) return null;
  const last = node.exit.lastLines.slice(-3);
  return (
    <div class="exit">
      {node.exit.errorCode !== null && <code class="code">{node.exit.errorCode}</code>}
      {last.length > 0 && (
        // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard (WCAG 2.1.1)
        <section tabIndex={0} aria-label={`Last lines of ${node.name}`}>
          <pre>{last.join('\n')}</pre>
        </section>
      )}
      <CrashButtons view={view} node={node} />
    </div>
  );
}

/** Only for a refused start: what else was refused is tried again where it was asked for. */
function StartButtons({ view, node }: { readonly view: ClusterView; readonly node: NodeView }) {
  const error = errors.value[`node:${node.name}`];
  if (error?.code !== 'PORT_IN_USE') return null;
  return <StartErrorButtons view={view} error={error} retry={() => void act(node.name, 'start')} />;
}

function LogsButton({ name }: { readonly name: string }) {
  const logShown = logNode.value === name;
  return useMemo(
    () => (
      <Button
        small
        kind="quiet"
        title={keyFor('logs')}
        aria-label={`Logs of ${name}`}
        aria-pressed={logShown}
        onClick={() => showLogs(name)}
      >
        Logs
      </Button>
    ),
    [name, logShown],
  );
}

export function NodeCard({
  view,
  node,
  index,
}: {
  readonly view: ClusterView;
  readonly node: NodeView;
  readonly index: number;
}) {
  const id = `card-${node.name}`;
  const busy = isBusy(`node:${node.name}`);
  const leadsShown = shownContext.value !== null && node.leads.includes(shownContext.value.name);
  const stale = node.state === 'stale' || !connected.value;
  return (
    <article
      id={id}
      class={`card node-card is-${node.state}${stale ? ' hatched' : ''}`}
      aria-labelledby={`${id}-name`}
      aria-describedby={`${id}-sentence`}
      aria-busy={busy}
      // biome-ignore lint/a11y/noNoninteractiveTabindex: a focused card is the target of the single-letter keys (ux.md §14)
      tabIndex={0}
      data-node={node.name}
      data-state={node.state}
    >
      <header>
        <Swatch index={index} />
        <h3 id={`${id}-name`}>{node.name}</h3>
        {leadsShown && (
          <span class="leader-mark" title={`leads ${shownContext.value?.name}`}>
            <Crown />
            <span class="visually-hidden">leader of {shownContext.value?.name}</span>
          </span>
        )}
        <StateBadge state={connected.value ? node.state : 'stale'} percent={node.catchUpPercent} word={wordOf(node)} />
      </header>
      <p class="sentence" id={`${id}-sentence`}>
        {connected.value ? node.sentence : `When last seen: ${node.sentence}`}
        {node.eventsBehind !== null && node.eventsBehind > 0 && ` ${count(node.eventsBehind)} events behind.`}
      </p>
      <Exit view={view} node={node} />
      <SubjectError subject={`node:${node.name}`}>
        <StartButtons view={view} node={node} />
      </SubjectError>
      <Addresses node={node} />
      <Facts node={node} />
      {node.propertiesChangedAt !== undefined && (
        <p>
          <span class="badge tone-warn">restart to apply</span> Its properties were changed since it started.
        </p>
      )}
      <Roles view={view} node={node} />
      {leadsShown && <FirstFaultHint view={view} />}
      <NodeActions node={node} label={`Actions of ${node.name}`} without="restart">
        <LogsButton name={node.name} />
        <NodeMenu view={view} node={node} />
      </NodeActions>
    </article>
  );
}
