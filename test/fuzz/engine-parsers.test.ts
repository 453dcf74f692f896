import { describe, expect, it } from 'vitest';
import { parseClusterTemplate, TemplateError } from '../../engine/config/cluster-template.ts';
import { parseProperties } from '../../engine/config/properties.ts';
import { parseSettings } from '../../engine/config/settings.ts';
import { parseYaml, YamlError } from '../../engine/config/yaml.ts';
import { decodeBody, PeerBodyError } from '../../engine/context/peer-messages.ts';
import { decodeScheduleCommand, encodeScheduleCommand } from '../../engine/context/scheduler-state.ts';
import {
  scanCommand,
  scanMetaData,
  scanQuery,
  scanResponse,
  scanSubscriptionQuery,
  scanSubscriptionResponse,
} from '../../engine/messaging/message-bytes.ts';
import { decodePeerMessage, encodePeerMessage, PeerKind } from '../../engine/messaging/peer-messages.ts';
import { encodeFrameHeader, FrameParser, FrameType } from '../../engine/peer/frame.ts';
import { decodeHello, decodeRefusal, encodeHello, encodeRefusal } from '../../engine/peer/hello.ts';
import { decodeRaftMessages, encodeRaftMessages, RaftCodecError } from '../../engine/peer/raft-codec.ts';
import { QueryError } from '../../engine/query/lexer.ts';
import { parseQuery } from '../../engine/query/parser.ts';
import { ConfigFormatError, decodeConfig, encodeConfig } from '../../engine/raft/membership.ts';
import type { Message } from '../../engine/raft/types.ts';
import { decodeDcbChange, encodeDcbChange, readCondition, readTag, readTagged } from '../../engine/storage/dcb-wire.ts';
import { decodeTransformation, encodeTransformation } from '../../engine/storage/transformations.ts';
import { WireError, WireWriter } from '../../engine/util/wire.ts';
import { config, entriesOfTerms } from '../raft/harness.ts';
import { fuzz, type Target } from './fuzz.ts';

const WIRE = [WireError];
const text = (bytes: Buffer): string => bytes.toString('utf8');
const message = new WireWriter()
  .text(1, 'id-1')
  .text(2, 'a.Name')
  .bytes(6, Buffer.from([8, 1, 18, 2, 10, 0]))
  .finish();
const response = new WireWriter()
  .text(2, 'AXONIQ-1')
  .text(7, 'id-1')
  .bytes(3, Buffer.from([10, 1, 97]))
  .finish();
const tag = new WireWriter().bytes(1, Buffer.from('course')).bytes(2, Buffer.from('c-1')).finish();
const event = new WireWriter().text(1, 'id').int(2, 7).text(3, 'Event').bytes(5, Buffer.from('payload')).finish();
const base = { group: 1, from: 'a@1', to: 'b@2', term: 3 };
const raftMessages: readonly Message[] = [
  { ...base, type: 'append', prevIndex: 1, prevTerm: 1, commit: 1, entries: entriesOfTerms([1, 2], 2) },
  { ...base, type: 'vote', lastIndex: 4, lastTerm: 2, transfer: true },
  { ...base, type: 'heartbeat', commit: 2, readSeq: 1, successor: 'b@2' },
];
const hello = encodeHello({
  clusterId: 'cluster',
  nodeName: 'node-1',
  storeId: 'store',
  incarnation: 'once',
  protocolMin: 1,
  protocolMax: 2,
  host: 'localhost',
  port: 8224,
  purpose: 'link',
  token: 'secret',
});
const head = Buffer.from('{"context":"default","what":"append"}');
const body = Buffer.concat([Buffer.of(head.length, 0, 0, 0), head, Buffer.of(3, 0, 0, 0), Buffer.from('abc')]);
const payload = Buffer.from('a frame of some bytes');
const frame = Buffer.concat([encodeFrameHeader(FrameType.RAFT, payload), payload]);

const YAML = `axoniq:
  axonserver:
    cluster-template:
      first: localhost:8224
      replicationGroups:
        - name: g
          roles:
            - role: PRIMARY
              node: node-1
          contexts:
            - name: default
              metaData:
                a: "b"
`;
const PROPERTIES =
  'axoniq.axonserver.name=node-1\naxoniq.axonserver.port = 8124\n# c\naxoniq.axonserver.clocks\\u0041:1\\\n  2\n';
const QUERIES = [
  'payloadData contains "x" and aggregateSequenceNumber > 3 | groupby(aggregateType, count()) | sort(count, desc) | limit(10)',
  'last hour | token in [1, 2, 3] | select(jsonpath(payloadData, "$.a[0].b") as v, timestamp as t)',
  'not (a = 1 or -b * (2 + 3) / 4 match "re.*x")',
];

const targets: readonly Target[] = [
  {
    name: 'node-to-node frames',
    corpus: [frame, Buffer.concat([frame, frame])],
    parse: (bytes) => new FrameParser(1 << 20).push(bytes, () => {}),
    refusals: [],
  },
  {
    name: 'Raft messages',
    corpus: [encodeRaftMessages(raftMessages)],
    parse: decodeRaftMessages,
    refusals: [RaftCodecError],
  },
  { name: 'hello', corpus: [hello], parse: decodeHello, refusals: [] },
  {
    name: 'refusal',
    corpus: [encodeRefusal({ code: 'PEER_NOT_A_PEER', message: 'no' })],
    parse: decodeRefusal,
    refusals: [],
  },
  { name: 'bodies between nodes', corpus: [body], parse: decodeBody, refusals: [PeerBodyError] },
  {
    name: 'commands and queries between nodes',
    corpus: [encodePeerMessage(PeerKind.COMMAND, { id: 7, context: 'default', text: 'x', body: message })],
    parse: decodePeerMessage,
    refusals: WIRE,
  },
  { name: 'commands', corpus: [message], parse: (bytes) => [scanCommand(bytes), scanMetaData(bytes)], refusals: WIRE },
  { name: 'queries', corpus: [message], parse: (bytes) => [scanQuery(bytes), scanMetaData(bytes)], refusals: WIRE },
  { name: 'responses', corpus: [response], parse: scanResponse, refusals: WIRE },
  {
    name: 'subscription queries',
    corpus: [new WireWriter().text(1, 's').bytes(4, message).finish()],
    parse: scanSubscriptionQuery,
    refusals: WIRE,
  },
  { name: 'subscription responses', corpus: [response], parse: scanSubscriptionResponse, refusals: WIRE },
  {
    name: 'configurations',
    corpus: [encodeConfig(config('a b', 'c', 'd'))],
    parse: decodeConfig,
    refusals: [ConfigFormatError],
  },
  { name: 'tags', corpus: [tag], parse: readTag, refusals: WIRE },
  {
    name: 'tagged events',
    corpus: [new WireWriter().bytes(1, event).bytes(2, tag).finish()],
    parse: readTagged,
    refusals: WIRE,
  },
  {
    name: 'conditions',
    corpus: [new WireWriter().int(1, 9).bytes(2, new WireWriter().bytes(1, tag).finish()).finish()],
    parse: readCondition,
    refusals: WIRE,
  },
  {
    name: 'changes of DCB contexts',
    corpus: [encodeDcbChange({ type: 'delete-snapshots', key: Buffer.from('k'), toSequence: 4 })],
    parse: decodeDcbChange,
    refusals: WIRE,
  },
  {
    name: 'scheduled events',
    corpus: [
      encodeScheduleCommand({ type: 'schedule', token: 't', instant: 5, replaces: '', event }),
      encodeScheduleCommand({ type: 'fired', tokens: ['a', 'b'] }),
    ],
    parse: decodeScheduleCommand,
    refusals: WIRE,
  },
  {
    name: 'transformations',
    corpus: [encodeTransformation({ op: 'events', id: 'i', sequence: 1, events: [{ token: 3, event }] })],
    parse: decodeTransformation,
    refusals: WIRE,
  },
  { name: 'event queries', corpus: QUERIES, parse: (bytes) => parseQuery(text(bytes)), refusals: [QueryError] },
  { name: 'properties files', corpus: [PROPERTIES], parse: (bytes) => parseProperties(text(bytes)), refusals: [] },
  {
    name: 'settings',
    corpus: [PROPERTIES],
    parse: (bytes) => parseSettings(text(bytes), {}, { machineHostName: 'host' }),
    refusals: [],
  },
  { name: 'YAML', corpus: [YAML], parse: (bytes) => parseYaml(text(bytes)), refusals: [YamlError] },
  {
    name: 'cluster templates',
    corpus: [YAML],
    parse: (bytes) => parseClusterTemplate(text(bytes)),
    refusals: [TemplateError],
  },
];

describe('spoilt inputs of an engine', () => {
  it.each(targets)('raft-tests S6 $name: taken or refused, never another error', async (target) => {
    expect(await fuzz(target)).toBeGreaterThanOrEqual(target.refusals.length === 0 ? 0 : 1);
  });
});
