// Pure: what a set of broken links means for every context, before anybody breaks them (ux.md §4.3). For window and command line.
// Entry points: `linkConsequences`, `linkPresets`.
import type { ClusterView, ContextView, NodeName } from './model.ts';

export interface DirectedLink {
  readonly from: NodeName;
  readonly to: NodeName;
}

export const sameLink = (left: DirectedLink, right: DirectedLink): boolean =>
  left.from === right.from && left.to === right.to;

/** Every link between different groups, both ways; what is inside a group stays. */
export function between(groups: readonly (readonly NodeName[])[]): readonly DirectedLink[] {
  return groups.flatMap((group, i) =>
    groups.flatMap((other, j) => (i === j ? [] : group.flatMap((from) => other.map((to) => ({ from, to }))))),
  );
}

export interface LinkPreset {
  readonly label: string;
  readonly links: readonly DirectedLink[];
}

/** The ready-made breaks for this cluster and the leader of the shown context; few nodes have few of them. */
export function linkPresets(names: readonly NodeName[], leader: NodeName | null): readonly LinkPreset[] {
  const presets: LinkPreset[] = [];
  const others = names.filter((name) => name !== leader);
  if (names.length < 2) {
    return presets;
  }
  if (leader !== null) {
    presets.push(
      { label: 'Isolate the leader', links: between([[leader], others]) },
      { label: 'Leader hears nobody', links: others.map((from) => ({ from, to: leader })) },
      { label: 'Nobody hears the leader', links: others.map((to) => ({ from: leader, to })) },
    );
  }
  if (names.length > 2) {
    const first = leader ?? names[0] ?? '';
    const minority = [first, ...names.filter((name) => name !== first)].slice(0, Math.floor((names.length - 1) / 2));
    const majority = names.filter((name) => !minority.includes(name));
    presets.push({ label: 'Minority / majority', links: between([minority, majority]) });
  }
  if (names.length > 3) {
    const far = (i: number, j: number): boolean => {
      const apart = Math.abs(i - j);
      return apart > 1 && apart < names.length - 1;
    };
    const links = names.flatMap((from, i) => names.flatMap((to, j) => (far(i, j) ? [{ from, to }] : [])));
    presets.push({ label: 'Ring', links });
  }
  return presets;
}

/** One sentence per context for the case that exactly these links are cut. */
export function linkConsequences(view: ClusterView, cuts: readonly DirectedLink[]): readonly string[] {
  return view.contexts.map((context) => consequence(view, context, cuts));
}

function consequence(view: ClusterView, context: ContextView, cuts: readonly DirectedLink[]): string {
  const down = new Set(
    view.nodes.filter((node) => node.pid === null || node.state === 'frozen').map((node) => node.name),
  );
  const voters = context.members.filter((member) => member.role === 'PRIMARY').map((member) => member.node);
  const needed = Math.floor(voters.length / 2) + 1;
  const cut = (from: NodeName, to: NodeName): boolean => cuts.some((link) => sameLink(link, { from, to }));
  const reach = (node: NodeName): number =>
    voters.filter((other) => other === node || (!down.has(other) && !cut(node, other) && !cut(other, node))).length;
  const able = voters.filter((node) => !down.has(node) && reach(node) >= needed);
  const leader = context.leader;
  if (able.length === 0) {
    const verb = leader === null ? 'has no' : 'loses its';
    return `${context.name} ${verb} leader: no node reaches ${needed} of ${voters.length} voters.`;
  }
  if (leader === null) {
    return `${context.name} can elect ${able.join(' or ')}; ${needed} of ${voters.length} voters are needed.`;
  }
  return able.includes(leader)
    ? `${context.name} keeps its leader ${leader}, who reaches ${reach(leader)} of ${voters.length} voters.`
    : `${context.name} elects another leader (${able.join(' or ')}); ${leader} is cut off.`;
}
