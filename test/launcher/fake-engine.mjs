// A stand-in for the engine process that speaks engine/control/protocol.ts: reads its properties file, opens its three ports,
// elects the lowest live node when a majority answers, and reports. Keys `fake.*` in the user's part make it misbehave.
import fs from 'node:fs';
import http from 'node:http';
import http2 from 'node:http2';
import net from 'node:net';
import path from 'node:path';

const properties = Object.fromEntries(
  fs
    .readFileSync(process.argv[2], 'utf8')
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]),
);
const own = (key) => properties[`axoniq.axonserver.${key}`];
const name = own('name');
const firstInternal = Number(own('autocluster.first').split(':')[1]);
const nodes = fs
  .readdirSync('..')
  .filter((entry) => /^node-\d$/.test(entry))
  .sort();
/** Read at each use: nodes may have been planned since. */
const planned = () => JSON.parse(fs.readFileSync('../cluster.json', 'utf8')).nodes.map((node) => node.name);
const contexts = own('autocluster.contexts').split(',');
const termFile = path.resolve('../fake-term');
const startedAt = Date.now();
let leading = false;
let term = 0;
let cut = new Set();
let state = 'starting';

const log = (level, text, code) =>
  process.stdout.write(
    `${JSON.stringify({ ts: new Date().toISOString(), level, node: name, context: null, code: code ?? null, text })}\n`,
  );

if (properties['fake.fatal'] !== undefined) {
  process.send({ type: 'fatal', code: 'BAD_SETTING', message: properties['fake.fatal'], next: ['Correct it.'] });
  log('error', properties['fake.fatal'], 'BAD_SETTING');
  setTimeout(() => process.exit(64), 20);
} else {
  run();
}

function run() {
  fs.mkdirSync('data', { recursive: true });
  fs.writeFileSync('data/fake-store', name);
  process.stdout.write(`${name} says hello in plain text\n`);
  log('info', 'the fake engine runs', 'STARTED');
  const internal = net.createServer((socket) => socket.end()).listen(Number(own('internal-port')), '127.0.0.1');
  const rest = http.createServer(answerRest).listen(Number(properties['server.port']), '127.0.0.1');
  const grpc = http2.createServer().listen(Number(own('port')), '127.0.0.1');
  grpc.on('stream', (stream) => {
    stream.on('error', () => undefined);
    stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true });
    stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': state === 'running' ? '0' : '14' }));
    stream.end(Buffer.from([0, 0, 0, 0, 0]));
  });
  grpc.on('sessionError', () => undefined);
  for (const server of [internal, rest, grpc]) {
    server.on('error', (error) => {
      process.send({ type: 'fatal', code: 'PORT_IN_USE', message: error.message, next: [] });
      process.exit(69);
    });
  }
  setInterval(() => void turn(), 25);
}

function answerRest(request, response) {
  let body = '';
  request.on('data', (chunk) => {
    body += chunk;
  });
  request.on('end', () => {
    const { context } = JSON.parse(body);
    response.statusCode = contexts.includes(context) ? 400 : 202;
    if (response.statusCode === 202) {
      contexts.push(context);
    }
    response.end(response.statusCode === 202 ? '' : `[AXONIQ-1304] ${context} already exists`);
  });
}

const position = (node) => Number(node.split('-')[1]) - 1;

function reaches(node) {
  if (cut.has(node)) {
    return Promise.resolve(false);
  }
  return new Promise((resolve) => {
    const socket = net.connect(firstInternal + position(node), '127.0.0.1');
    socket.setTimeout(200, () => socket.destroy());
    socket.on('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.on('error', () => undefined);
    socket.on('close', () => resolve(false));
  });
}

async function turn() {
  const others = planned().filter((node) => node !== name);
  const live = (await Promise.all(others.map(async (node) => ((await reaches(node)) ? node : null)))).filter(
    (node) => node !== null,
  );
  const majority = Math.floor(planned().length / 2) + 1;
  const lowest = [name, ...live].sort()[0] === name;
  const wins = live.length + 1 >= majority && lowest && (leading || Date.now() - startedAt > 60);
  if (wins && !leading) {
    term = Number(fs.existsSync(termFile) ? fs.readFileSync(termFile, 'utf8') : '0') + 1;
    fs.writeFileSync(termFile, String(term));
    log('info', `leads term ${term}`, 'LEADER');
  }
  leading = wins;
  state = live.length + 1 >= majority || fs.existsSync('data/joined') ? 'running' : 'joining';
  if (state === 'running') {
    fs.writeFileSync('data/joined', '');
  }
  report(live);
}

function report(live) {
  const lastIndex = 10;
  process.send?.({
    type: 'status',
    time: Date.now(),
    node: name,
    pid: process.pid,
    storeId: `store-${name}`,
    clusterId: state === 'running' ? 'fake-cluster' : null,
    state,
    waitingFor: state === 'joining' ? 'The first node does not answer yet.' : null,
    httpPort: Number(properties['server.port']),
    grpcPort: Number(own('port')),
    internalPort: Number(own('internal-port')),
    rssBytes: process.memoryUsage.rss(),
    cpuPercent: 0,
    eventLoopDelayMaxMs: 0,
    viewVersion: 1,
    groups: state === 'running' ? contexts.map((context, index) => group(context, index, lastIndex)) : [],
    messagingContexts: [],
    peers: nodes.filter((node) => node !== name).map((node) => ({ node, connected: live.includes(node) })),
    clients: [],
  });
}

function group(context, index, lastIndex) {
  return {
    context,
    group: index + 1,
    raftRole: leading ? 'leader' : 'follower',
    term,
    votedFor: null,
    leader: leading ? name : null,
    leaderReady: leading,
    lastIndex,
    durableIndex: lastIndex,
    commitIndex: lastIndex,
    appliedIndex: lastIndex,
    lastToken: 4,
    members: planned().map((node) => ({
      node,
      role: 'PRIMARY',
      matchIndex: leading ? lastIndex : null,
      nextIndex: null,
      replication: null,
      recentActive: null,
    })),
    configPending: false,
    blockedOnActiveBackup: false,
    votesGranted: [],
    votesRefused: [],
    electionElapsedMs: 0,
    electionTimeoutMs: 500,
    diskBytes: 1000,
    suspect: null,
  };
}

process.on('message', (message) => {
  if (message.type === 'ask' && message.ask.kind === 'settings') {
    const given = Object.entries(properties).map(([key, value]) => ({ key, value, source: 'file' }));
    process.send({ type: 'reply', id: message.id, ok: true, value: { given } });
  } else if (message.type === 'ask' && message.ask.kind === 'pace') {
    log('info', `pace ${message.ask.slowdown}`, 'PACE');
    process.send({ type: 'reply', id: message.id, ok: true, value: null });
  } else if (message.type === 'set-link-faults') {
    cut = new Set(message.faults.filter((fault) => fault.cut).map((fault) => fault.peer));
    log('info', `faults ${JSON.stringify(message.faults)}`, 'FAULTS');
    process.send({ type: 'reply', id: message.id, ok: true });
  } else if (message.type === 'set-disk-fault') {
    log('info', `disk ${JSON.stringify(message.fault)}`, 'DISK');
    process.send({ type: 'reply', id: message.id, ok: true });
    if (message.fault.failing) {
      process.send({ type: 'fatal', code: 'DISK_FAILED', message: 'a flush failed', next: [] });
      setTimeout(() => process.exit(74), 20);
    }
  } else if (message.type === 'set-clock-skew') {
    log('info', `clock ${message.skewMs}`, 'CLOCK');
    process.send({ type: 'reply', id: message.id, ok: true });
  } else if (message.type === 'stop') {
    process.send({ type: 'reply', id: message.id, ok: true });
    if (properties['fake.stubborn'] === undefined) {
      setTimeout(() => process.exit(0), 10);
    }
  }
});
process.on('SIGTERM', () => (properties['fake.stubborn'] === undefined ? process.exit(0) : undefined));
process.on('disconnect', () => process.exit(0));
