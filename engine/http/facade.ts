// What the HTTP layer needs from the node. Implemented by the composition root.
import type { ClusterAdmin, ContextDirectory } from '../context/api.ts';
import type { DcbDirectory } from '../context/dcb-api.ts';
import type { StatusReport } from '../control/protocol.ts';
import type { ProcessorAdministration } from '../messaging/processor-admin.ts';
import type { PeerBus } from '../peer/bus.ts';

export interface HttpNodeFacade {
  readonly directory: ContextDirectory & Partial<DcbDirectory>;
  readonly admin: ClusterAdmin;
  readonly processors: ProcessorAdministration;
  readonly peers: PeerBus;
  status(): StatusReport;
  readonly version: string;
}
