// Applications and users in memory, and every method of the client API as the published descriptions have it. For tests only.
import { fileURLToPath } from 'node:url';
import * as loader from '@grpc/proto-loader';
import { AccessAdmin } from '../../../engine/context/access-admin.ts';
import { AccessControl, fixedTokens } from '../../../engine/context/access-control.ts';
import { type AccessState, applyAccessCommand } from '../../../engine/context/access-state.ts';
import { AxonError } from '../../../engine/context/api.ts';

export const SYSTEM_TOKEN = 'the-system-token-of-this-test';
export const APPLICATION_TOKEN = 'the-shared-token-of-this-test';

export interface MemoryAccess {
  readonly admin: AccessAdmin;
  readonly control: AccessControl;
  readonly state: () => AccessState | undefined;
}

export function memoryAccess(): MemoryAccess {
  let state: AccessState | undefined;
  const admin = new AccessAdmin({
    state: () => state,
    propose: async (command) => {
      const next = applyAccessCommand(state ?? { applications: [], users: [] }, command);
      if ('code' in next) throw new AxonError(next.code, next.message);
      state = next;
    },
  });
  const fixed = fixedTokens({ admin: [SYSTEM_TOKEN], application: APPLICATION_TOKEN });
  return { admin, control: new AccessControl(() => state, fixed), state: () => state };
}

const PROTO_DIR = fileURLToPath(new URL('../../../engine/proto', import.meta.url));
const FILES = ['admin', 'command', 'control', 'dcb', 'event', 'license', 'persistent-streams', 'query'];

/** `/package.Service/Method` of every method. */
export function allMethods(): readonly string[] {
  const definitions = loader.loadSync(
    FILES.map((file) => `${file}.proto`),
    { includeDirs: [PROTO_DIR] },
  );
  return Object.values(definitions)
    .filter((definition) => !('format' in definition))
    .flatMap((service) => Object.values(service as loader.ServiceDefinition))
    .map((method) => method.path)
    .sort();
}
