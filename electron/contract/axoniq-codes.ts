// Every AXONIQ code with what causes it and what to do next (row B11), for people: `muster explain`, error notes, Help, docs/client-codes.md.
// The statuses on the wire are in engine/rpc/errors.ts; a test keeps both and the page equal. Entry points: `explainCode`, `codesIn`.

export interface CodeExplanation {
  readonly code: string;
  /** One or two whole sentences. */
  readonly cause: string;
  /** Steps a person can take, best first; never empty. */
  readonly next: readonly string[];
}

const OTHER_SERVER = 'The app talks to another server: check its addresses.';
const NO_PLUGINS = 'Leave plugins out of what you test here.';

const rows: readonly (readonly [code: string, cause: string, ...next: readonly string[]])[] = [
  [
    '0001',
    'Something failed that has no code of its own; the text of the error says what.',
    'Read the text of the error.',
    'Look for a line of the same second: muster logs --level warn',
  ],
  ['1000', 'Access control is on and the client sent no token.', 'Give the app the token: muster connect shows it.'],
  [
    '1001',
    'The token is unknown, or its application or user has no role that allows this call in this context.',
    'Compare the token of the app with muster connect.',
    'Check the roles of the application in this context.',
  ],
  [
    '1002',
    'The client sent an instruction that this engine does not know.',
    'Compare the version of the client library with docs/compat.md.',
  ],
  [
    '1003',
    'An instruction could not be carried out: it lacks a name or client id, or the client answered that it failed.',
    'Read the text of the error and the log of the app.',
  ],
  [
    '1004',
    'The client got an instruction and did not tell in time how it went.',
    'See whether the app is frozen or overloaded.',
    'Repeat the action.',
  ],
  [
    '1100',
    'The node that was asked holds a copy and does not lead.',
    'Try again: clients find the leader by themselves.',
    'Name the leader shown by muster status.',
  ],
  [
    '1300',
    'No application of that name is registered for access control.',
    'Check the spelling, or create the application first.',
  ],
  [
    '1301',
    'No node of that name belongs to the cluster or to this context.',
    'Compare the name with muster status.',
    'Add the node: muster add-node',
  ],
  [
    '1302',
    'The cluster has no context of that name. Apps of a context that was deleted get this, too.',
    'Compare the context of the app with muster status.',
    'Create it: muster context add NAME',
  ],
  ['1304', 'A context of that name exists already.', 'Use it, or choose another name.'],
  ['1305', 'A replication group of that name exists already.', 'Use it, or choose another name.'],
  [
    '1400',
    'The node that was asked does not serve the context now: it starts or stops, sees no other member, has no role there, or is not part of a cluster yet.',
    'Wait until the cluster is usable: muster wait ready',
    'Give the app all nodes of the cluster: muster connect',
    'Look for cut links and stopped nodes: muster status',
  ],
  [
    '1500',
    'The node that has the client is not reachable from the node that was asked.',
    'Look for cut links and stopped nodes: muster status',
    'Undo faults: muster heal',
  ],
  [
    '1700',
    'Axon Server gives this when the licence does not cover a feature. Muster has no licence and never sends it.',
    OTHER_SERVER,
  ],
  [
    '1900',
    'A limit of the engine is reached; the text names it. Usually a receiver is slower than the sender, or something is created in a loop.',
    'Slow the sender down or give the receiver more permits.',
    'Look for a frozen or overloaded app: muster apps',
    'Try again after a moment: nothing of the refused call was done.',
  ],
  [
    '2000',
    'The aggregate has another event with this sequence number: two writers at once, or a retry of an append that had succeeded. In a DCB context, an event that matches the condition came first.',
    'Load the aggregate again and repeat the command.',
    'If it lasts, look for a second instance of the app, or for snapshots that are ahead of their events.',
  ],
  [
    '2001',
    'A transaction or event is larger than the engine takes.',
    'Split the transaction, or keep large payloads elsewhere.',
    'Raise max-message-size, with muster config set, and in the app.',
  ],
  [
    '2002',
    'One transaction holds more events than the engine takes, or a query makes more rows than the client reads.',
    'Split the transaction.',
    'Narrow the query.',
  ],
  [
    '2100',
    'The context has no leader now: an election runs, or too few voting members are up and connected.',
    'Wait for one: muster wait leader:CONTEXT',
    'Read why in muster status, then start nodes or undo faults: muster heal',
  ],
  ['2101', 'The node that was named does not belong to this cluster.', 'Compare the name with muster status.'],
  [
    '2107',
    'Another change of this replication group is under way.',
    'Wait until muster status shows no change, then repeat.',
  ],
  [
    '2108',
    'The cluster has no replication group of that name; Muster has one per context, with the same name.',
    'Use the name of the context.',
    'Compare with muster status.',
  ],
  [
    '2200',
    'A transformation names tokens out of order, or one that no event has.',
    'Let the tokens ascend, and stay within the events of the context: muster events CONTEXT',
  ],
  ['2301', 'Axon Server gives this when clustering is not licensed. Muster never sends it.', OTHER_SERVER],
  ['2302', 'Axon Server gives this when replication groups are not licensed. Muster never sends it.', OTHER_SERVER],
  [
    '2303',
    'Axon Server gives this when development mode is off. Muster never sends it.',
    'Use muster purge CONTEXT --yes',
  ],
  [
    '2304',
    'Contexts whose name begins with _ belong to the cluster itself.',
    'Choose another context; _admin cannot be deleted.',
  ],
  ['2305', 'The cluster has as many nodes as the engine takes.', 'Remove a node first: muster remove-node NODE'],
  [
    '2306',
    'The node that was told to join belongs to a cluster already.',
    'Nothing, if it is the right one.',
    'Else remove it there, or start it with an empty data folder.',
  ],
  ['2307', 'The node is not a member of this context.', 'Give it a role: muster role NODE CONTEXT primary'],
  ['2308', 'A name of a context begins with a letter; letters, digits, _ and - follow.', 'Choose another name.'],
  [
    '2309',
    'The list of members is not usable: no PRIMARY, a node twice, or a messaging-only member of _admin.',
    'Name every node once, at least one of them as PRIMARY.',
  ],
  [
    '2310',
    'The last PRIMARY, or the last node of a context, cannot leave it: its events would have no place.',
    'Give another node the role PRIMARY first.',
    'Or delete the context: muster context rm CONTEXT --yes',
  ],
  [
    '2311',
    'A value in the request cannot be used; the text names it and what is allowed.',
    'Correct the value that the text names.',
  ],
  [
    '2500',
    'The node is in the cluster already under this name, or was told to join itself.',
    'Give every node its own axoniq.axonserver.name.',
    'Name another member as the one to join.',
  ],
  [
    '2501',
    'The host name of the cluster to join does not resolve here.',
    'Correct the name, or use an address that this computer resolves.',
  ],
  [
    '2502',
    'The member that was named refused, or could not be reached on its internal port.',
    'Check host and internal port.',
    'Read the log of that member: muster logs NODE --level warn',
  ],
  [
    '2510',
    'The role is not one that the engine knows.',
    'Use PRIMARY, ACTIVE_BACKUP, PASSIVE_BACKUP or MESSAGING_ONLY for nodes; the text lists the roles of applications.',
  ],
  ['2511', 'The query cannot be read; the text names the place.', 'Correct the query there.'],
  [
    '2610',
    'No scheduled event has this token: it was published or cancelled already.',
    'Nothing, if it was meant to be gone.',
    'Else compare the token with the one that scheduling gave.',
  ],
  ['2700', 'Axon Server gives this for plugins. Muster has no plugins.', NO_PLUGINS],
  ['2701', 'Axon Server gives this for plugins. Muster has no plugins.', NO_PLUGINS],
  [
    '2800',
    'No connected client has an event processor of that name in this context, none works on the segment, or no persistent stream has this id.',
    'See which apps and processors are connected: muster apps',
    'Compare name, context and token store id.',
  ],
  [
    '2801',
    'The client that the segment should move to does not have this event processor.',
    'Choose a client that muster apps shows with the processor.',
  ],
  [
    '2802',
    'The client that the segment should move to has no thread free for it.',
    'Release a segment there, or give its processor more threads.',
  ],
  [
    '3000',
    'Axon Server gives this when events come faster than the licence allows. Muster never sends it.',
    OTHER_SERVER,
  ],
  [
    '3004',
    'The event cannot be accepted: it is no valid message, or a scheduled event names an aggregate.',
    'Correct the event; schedule plain events only.',
  ],
  ['3005', 'Axon Server gives this when an interceptor refuses a snapshot. Muster has no interceptors.', OTHER_SERVER],
  [
    '4000',
    'No connected app of this context has a handler for the command.',
    'See who handles what: muster apps',
    'Start the app with the handler, or look whether it is connected to another context.',
  ],
  [
    '4001',
    'The app that handled the command or query, or the node it was connected to, was lost before it answered. The handler may have done its work.',
    'Check what was done before repeating it.',
    'See whether the app came back: muster apps',
  ],
  [
    '4002',
    'The handler did not answer the command within the time of the command. It may still do it.',
    'See whether the app hangs or is frozen: muster apps',
    'Raise the timeout of the command in the app.',
  ],
  ['4003', 'The command could not be sent to its handler.', 'Try again; if it lasts, read muster logs --level warn'],
  ['4004', 'Axon Server gives this when an interceptor refuses a command. Muster has no interceptors.', OTHER_SERVER],
  [
    '4005',
    'A command with this message id is in progress already.',
    'Give every command its own id; a retry needs a new one.',
  ],
  [
    '5000',
    'No connected app of this context has a handler for the query.',
    'See who handles what: muster apps',
    'Start the app with the handler, or look whether it is connected to another context.',
  ],
  ['5002', 'The query could not be sent to its handler.', 'Try again; if it lasts, read muster logs --level warn'],
  ['5004', 'Axon Server gives this when an interceptor refuses a query. Muster has no interceptors.', OTHER_SERVER],
  [
    '5005',
    'Axon Server gives this when an interceptor refuses a subscription query. Muster has no interceptors.',
    OTHER_SERVER,
  ],
  [
    '5006',
    'No handler answered the query within its time.',
    'See whether the app hangs or is frozen: muster apps',
    'Raise the timeout of the query in the app.',
  ],
  [
    '5007',
    'A query with this message id is in progress already.',
    'Give every query its own id; a retry needs a new one.',
  ],
  [
    '6000',
    'The node or context has no event store of the kind that was asked: a messaging-only member, or a DCB call in a classic context or the other way round.',
    'Use a context of the right kind: muster context add NAME, with --dcb for Axon Framework 5',
    'Ask a node that stores the context: muster status',
  ],
  [
    '6001',
    'The client that was meant is not connected, or its connection ended before it answered.',
    'See who is connected: muster apps',
  ],
  [
    '6002',
    'Reading one aggregate took longer than the engine allows.',
    'Take snapshots of long aggregates.',
    'Look for a slow disk: muster status',
  ],
  ['6100', 'Axon Server gives this when an interceptor fails. Muster has no interceptors.', OTHER_SERVER],
  ['6101', 'Axon Server gives this when a hook after the commit fails. Muster has no hooks.', OTHER_SERVER],
  ['7000', 'Axon Server gives this while it cannot be backed up. Muster never sends it.', 'Use muster checkpoint save'],
  ['8000', 'Axon Server gives this when encryption fails. Muster encrypts no events.', OTHER_SERVER],
  ['8001', 'Axon Server gives this when encryption fails. Muster encrypts no events.', OTHER_SERVER],
  ['8002', 'Axon Server gives this when encryption fails. Muster encrypts no events.', OTHER_SERVER],
  [
    '9000',
    'A stored entry does not match its checksum on this node; the node repairs it from other members.',
    'Try again: the copies of other members are not affected.',
    'Compare all copies: muster verify CONTEXT',
    'Look at the disk.',
  ],
  [
    '9001',
    'A file of the data folder could not be written.',
    'Look at the disk and at the permissions of the data folder: muster logs --level error',
  ],
  [
    '9100',
    'The disk of the leader is full and no other node can lead. Nothing was stored.',
    'Free space; the file ballast in the data folder may be deleted. Writing goes on by itself.',
  ],
  ['9101', 'An index file could not be written.', 'Free space; the next start makes the index again.'],
  ['9102', 'A folder could not be made in the data folder.', 'Check the permissions of the data folder.'],
  [
    '9200',
    'A transformation was refused; the text says which rule it breaks.',
    'Correct what the text names, or cancel the transformation.',
  ],
  ['9301', 'Axon Server gives this when plugins are off. Muster has no plugins.', NO_PLUGINS],
  ['9500', 'The call was interrupted before it was done.', 'Try again.'],
  [
    '9900',
    'The leader changed before the append was committed, and the entry is gone. Nothing was stored.',
    'Repeat the append.',
  ],
  [
    '10001',
    'A member takes too long to confirm what the leader sends.',
    'Look for a slow disk or link: muster status',
    'Undo faults: muster heal',
  ],
  [
    '10002',
    'A change of the members is not committed yet, and the next has to wait.',
    'Wait until muster status shows no change, then repeat.',
  ],
  [
    '10003',
    'The change or append was handed over but not confirmed in time by enough members. It may still be committed.',
    'Look whether it was stored before repeating it.',
    'Read why in muster status, then start nodes or undo faults: muster heal',
  ],
  [
    '10007',
    'No other PRIMARY has everything that the leader has, or the leader has committed nothing in its term yet.',
    'Wait until all have caught up: muster wait caught-up',
    'Then repeat it.',
  ],
  [
    '11000',
    'The client got an instruction and did not tell the result in time.',
    'See whether the app is frozen or overloaded: muster apps',
    'Repeat the action.',
  ],
  [
    '11001',
    'The client confirmed the instruction but does not tell its result: its version cannot.',
    'Look at the app to see what came of it.',
  ],
];

export const CODE_EXPLANATIONS: ReadonlyMap<string, CodeExplanation> = new Map(
  rows.map(([digits, cause, ...next]) => [`AXONIQ-${digits}`, { code: `AXONIQ-${digits}`, cause, next }]),
);

/** `AXONIQ-2000`, `axoniq-2000` or `2000`; null for a code that the API does not define. */
export function explainCode(text: string): CodeExplanation | null {
  const digits = /^\s*(?:AXONIQ-)?(\d{4,5})\s*$/i.exec(text)?.[1];
  return digits === undefined ? null : (CODE_EXPLANATIONS.get(`AXONIQ-${digits}`) ?? null);
}

/** The known codes that a text names, each once, in its order. */
export function codesIn(text: string): readonly CodeExplanation[] {
  const named = new Set([...text.matchAll(/\bAXONIQ-\d{4,5}\b/g)].map(([code]) => code));
  return [...named].flatMap((code) => explainCode(code) ?? []);
}
