// What the HTTP layer needs from the node. Implemented by the composition root.
import type { AccessAdmin } from '../context/access-admin.ts';
import type { AccessControl } from '../context/access-control.ts';
import type { ClusterAdmin, ContextDirectory } from '../context/api.ts';
import type { DcbDirectory } from '../context/dcb-api.ts';
import type { StatusReport } from '../control/protocol.ts';
import type { ProcessorAdministration } from '../messaging/processor-admin.ts';
import type { PeerBus } from '../peer/bus.ts';

export interface HttpNodeFacade {
  readonly directory: ContextDirectory & Partial<DcbDirectory>;
  readonly admin: ClusterAdmin;
  readonly access: AccessAdmin;
  /** Null: everybody may do everything. */
  readonly accessControl: AccessControl | null;
  readonly processors: ProcessorAdministration;
  /** Asks a client to connect anew; answers how many control streams were asked. */
  reconnectClient(clientId: string, context: string | null): Promise<number>;
  readonly peers: PeerBus;
  status(): StatusReport;
  readonly version: string;
}
