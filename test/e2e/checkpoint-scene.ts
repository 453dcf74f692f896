// A saved state, for the window's tests.
import type { CheckpointView } from '../../electron/contract/checkpoints.ts';

export const saved = (name: string, patch: Partial<CheckpointView> = {}): CheckpointView => ({
  name,
  createdAt: new Date(Date.now() - 3_600_000).toISOString(),
  nodes: ['node-1', 'node-2', 'node-3'],
  files: 42,
  bytes: 3_400_000,
  dir: `/home/ada/.local/share/muster/dev/checkpoints/${name}`,
  problem: null,
  ...patch,
});
