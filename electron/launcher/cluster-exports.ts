// The same cluster for somewhere else (decision 20): as a spec or template for Muster, and for the official server image.
// Pure: a plan and the present view in, texts out; tokens and certificates never leave. Entry point: `exportCluster`.
import { ADMIN_CONTEXT } from '../contract/check-parts.ts';
import { renderClusterTemplate, TEMPLATE_FILE } from '../../engine/config/cluster-template.ts';
import type { ExportedFile, ExportKind } from '../contract/manage.ts';
import type { ClusterPlan, ClusterSpec, ClusterView, ContextLayout, NodePlan } from '../contract/model.ts';
import { INTERNAL_HOST } from './plan.ts';

export const SPEC_KIND = 'muster-cluster';
/** The ports that the image listens on unless told otherwise. */
const IMAGE_INTERNAL_PORT = 8224;
const IMAGE = 'axoniq/axonserver';
const LICENCE_NOTE = 'A cluster of the official server needs a licence of its vendor.';
const ENV = 'AXONIQ_AXONSERVER_';

export function exportCluster(
  { plan, view }: { readonly plan: ClusterPlan; readonly view: ClusterView },
  kind: ExportKind,
): ExportedFile {
  switch (kind) {
    case 'spec':
      return { fileName: `${plan.spec.name}.muster.json`, text: specText(plan, view), notes: notesOf(plan, view) };
    case 'template':
      return {
        fileName: TEMPLATE_FILE,
        text: templateText(plan, view, `${INTERNAL_HOST}:${plan.nodes[0]?.internal}`),
        notes: notesOf(plan, view),
      };
    case 'compose':
      return { fileName: 'compose.yaml', text: composeText(plan, view), notes: [LICENCE_NOTE, ...notesOf(plan, view)] };
    case 'k8s':
      return {
        fileName: `${plan.spec.name}.k8s.yaml`,
        text: kubernetesText(plan, view),
        notes: [
          LICENCE_NOTE,
          'Clients outside of the Kubernetes cluster need an ingress of their own.',
          ...notesOf(plan, view),
        ],
      };
  }
}

function notesOf({ spec }: ClusterPlan, view: ClusterView): readonly string[] {
  const stopped =
    view.state === 'stopped' ? ['The cluster is stopped: contexts and roles are those it was made with.'] : [];
  const left = [spec.accessControl === true ? 'tokens' : '', spec.tls === true ? 'certificates' : ''].filter(Boolean);
  return left.length === 0
    ? stopped
    : [...stopped, `The ${left.join(' and ')} of this cluster are not part of the file.`];
}

/** Contexts and roles as the view tells them: as they are now, or as planned while no node runs. */
export function presentLayout(plan: ClusterPlan, view: ClusterView): readonly ContextLayout[] {
  return [...view.contexts]
    .sort((left, right) => Number(right.name === ADMIN_CONTEXT) - Number(left.name === ADMIN_CONTEXT))
    .map(({ name, members }) => {
      const metaData = plan.spec.layout?.find((one) => one.name === name)?.metaData;
      const roles = members.map(({ node, role }) => ({ node, role }));
      return { name, roles, ...(metaData === undefined ? {} : { metaData }) };
    });
}

const isPlain = (layout: readonly ContextLayout[], nodes: number): boolean =>
  layout.every(
    ({ roles, metaData }) =>
      metaData === undefined && roles.length === nodes && roles.every((one) => one.role === 'PRIMARY'),
  );

function specText(plan: ClusterPlan, view: ClusterView): string {
  const layout = presentLayout(plan, view);
  const { layout: _planned, ...rest } = plan.spec;
  const spec: ClusterSpec = {
    ...rest,
    contexts: layout.map((context) => context.name).filter((name) => name !== ADMIN_CONTEXT),
    ...(isPlain(layout, plan.nodes.length)
      ? {}
      : { layout: layout.filter((one) => one.name !== ADMIN_CONTEXT || !isPlain([one], plan.nodes.length)) }),
  };
  return `${JSON.stringify({ kind: SPEC_KIND, version: 1, spec }, null, 2)}\n`;
}

function templateText(plan: ClusterPlan, view: ClusterView, first: string): string {
  const [host = '', port = ''] = first.split(':');
  const contexts = presentLayout(plan, view).map(({ name, roles, metaData = {} }) => ({
    name,
    roles,
    metaData: plan.spec.dcb === true && name !== ADMIN_CONTEXT ? { ...metaData, dcb: 'true' } : metaData,
  }));
  return renderClusterTemplate({ first: { host, port: Number(port) }, contexts });
}

const indented = (text: string, by: number): readonly string[] =>
  text
    .trimEnd()
    .split('\n')
    .map((line) => `${' '.repeat(by)}${line}`);

const head = (plan: ClusterPlan, how: string): readonly string[] => [
  `# Cluster ${plan.spec.name}, exported by Muster. ${how}`,
  `# Runs the official server image, not Muster. ${LICENCE_NOTE}`,
];

/** Each node keeps the ports it has here, so that apps on this computer go on with the same addresses after a redirect, too. */
function composeText(plan: ClusterPlan, view: ClusterView): string {
  const first = plan.nodes[0];
  const service = (node: NodePlan): readonly string[] => [
    `  ${node.name}:`,
    `    image: \${AXONSERVER_IMAGE:-${IMAGE}}`,
    `    hostname: ${node.name}`,
    '    environment:',
    `      ${ENV}NAME: ${node.name}`,
    `      ${ENV}HOSTNAME: localhost`,
    `      ${ENV}INTERNAL_HOSTNAME: ${node.name}`,
    `      ${ENV}PORT: "${node.grpc}"`,
    `      ${ENV}INTERNAL_PORT: "${node.internal}"`,
    `      SERVER_PORT: "${node.http}"`,
    `      ${ENV}CLUSTERTEMPLATE_PATH: /axonserver/config/${TEMPLATE_FILE}`,
    '    configs:',
    `      - source: template`,
    `        target: /axonserver/config/${TEMPLATE_FILE}`,
    '    ports:',
    `      - "127.0.0.1:${node.http}:${node.http}"`,
    `      - "127.0.0.1:${node.grpc}:${node.grpc}"`,
    '    volumes:',
    `      - ${node.name}-data:/axonserver/data`,
    `      - ${node.name}-events:/axonserver/events`,
    `      - ${node.name}-log:/axonserver/log`,
  ];
  const volumes = plan.nodes.flatMap(({ name }) => [`  ${name}-data:`, `  ${name}-events:`, `  ${name}-log:`]);
  return `${[
    ...head(plan, 'docker compose up'),
    `name: ${plan.spec.name}`,
    'services:',
    ...plan.nodes.flatMap(service),
    'configs:',
    '  template:',
    '    content: |',
    ...indented(templateText(plan, view, `${first?.name}:${first?.internal}`), 6),
    'volumes:',
    ...volumes,
  ].join('\n')}\n`;
}

/** One StatefulSet per node, as the vendor advises; a headless service gives each its name. */
function kubernetesText(plan: ClusterPlan, view: ClusterView): string {
  const { name } = plan.spec;
  const host = (node: NodePlan): string => `${name}-${node.name}`;
  const first = plan.nodes[0];
  const template = templateText(plan, view, `${first === undefined ? '' : host(first)}:${IMAGE_INTERNAL_PORT}`);
  const claims = ['data', 'events', 'log'];
  const workload = (node: NodePlan): readonly string[] => [
    '---',
    'apiVersion: v1',
    'kind: Service',
    'metadata:',
    `  name: ${host(node)}`,
    'spec:',
    '  clusterIP: None',
    '  publishNotReadyAddresses: true',
    '  selector:',
    `    app: ${host(node)}`,
    '  ports:',
    '    - { name: http, port: 8024 }',
    '    - { name: grpc, port: 8124 }',
    `    - { name: internal, port: ${IMAGE_INTERNAL_PORT} }`,
    '---',
    'apiVersion: apps/v1',
    'kind: StatefulSet',
    'metadata:',
    `  name: ${host(node)}`,
    'spec:',
    '  replicas: 1',
    `  serviceName: ${host(node)}`,
    '  selector:',
    '    matchLabels:',
    `      app: ${host(node)}`,
    '  template:',
    '    metadata:',
    '      labels:',
    `        app: ${host(node)}`,
    '    spec:',
    '      containers:',
    '        - name: axonserver',
    `          image: ${IMAGE}`,
    '          env:',
    ...Object.entries({
      NAME: node.name,
      HOSTNAME: host(node),
      INTERNAL_HOSTNAME: host(node),
      CLUSTERTEMPLATE_PATH: `/axonserver/config/${TEMPLATE_FILE}`,
    }).map(([key, value]) => `            - { name: ${ENV}${key}, value: "${value}" }`),
    '          ports:',
    '            - containerPort: 8024',
    '            - containerPort: 8124',
    `            - containerPort: ${IMAGE_INTERNAL_PORT}`,
    '          readinessProbe:',
    '            httpGet: { path: /actuator/health, port: 8024 }',
    '          volumeMounts:',
    '            - { name: template, mountPath: /axonserver/config }',
    ...claims.map((claim) => `            - { name: ${claim}, mountPath: /axonserver/${claim} }`),
    '      volumes:',
    '        - name: template',
    `          configMap: { name: ${name}-template }`,
    '  volumeClaimTemplates:',
    ...claims.flatMap((claim) => [
      '    - metadata:',
      `        name: ${claim}`,
      '      spec:',
      '        accessModes: [ReadWriteOnce]',
      '        resources: { requests: { storage: 5Gi } }',
    ]),
  ];
  return `${[
    ...head(plan, 'kubectl apply -f'),
    'apiVersion: v1',
    'kind: ConfigMap',
    'metadata:',
    `  name: ${name}-template`,
    'data:',
    `  ${TEMPLATE_FILE}: |`,
    ...indented(template, 4),
    ...plan.nodes.flatMap(workload),
  ].join('\n')}\n`;
}
