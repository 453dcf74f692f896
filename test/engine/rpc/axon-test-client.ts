// Clients of our services made by @grpc/proto-loader from engine/proto: an independent reading of the same definitions.
import { fileURLToPath } from 'node:url';
import * as grpc from '@grpc/grpc-js';
import * as loader from '@grpc/proto-loader';

const PROTO_DIR = fileURLToPath(new URL('../../../engine/proto', import.meta.url));

/** A client class of grpc-js: its methods are made at run time. */
export interface LooseClient {
  readonly [method: string]: (...args: unknown[]) => unknown;
}

/** `service` below the API package, e.g. `event.EventStore`. 64-bit numbers come as strings. */
export function connect(port: number, file: string, service: string): LooseClient & { close(): void } {
  const definition = loader.loadSync(file, {
    includeDirs: [PROTO_DIR],
    keepCase: true,
    longs: String,
    defaults: true,
    oneofs: true,
  });
  let found: unknown = grpc.loadPackageDefinition(definition);
  for (const part of `io.axoniq.axonserver.grpc.${service}`.split('.'))
    found = (found as Record<string, unknown>)[part];
  const Client = found as grpc.ServiceClientConstructor;
  const options = { 'grpc.use_local_subchannel_pool': 1, 'grpc.max_receive_message_length': -1 };
  return new Client(`127.0.0.1:${port}`, grpc.credentials.createInsecure(), options) as unknown as LooseClient & {
    close(): void;
  };
}

export function metadataOf(entries: Readonly<Record<string, string>>): grpc.Metadata {
  const metadata = new grpc.Metadata();
  for (const [name, value] of Object.entries(entries)) metadata.set(name, value);
  return metadata;
}
