// Pure: what an app must be told to find the cluster (ux.md §6), with the live ports. Entry point: `snippetsOf`.
import type { ClusterView, ContextName, Snippet, SnippetKind } from '../contract/model.ts';
import { type ClusterSecurity, noSecurity } from './security.ts';

export function snippetsOf(
  view: ClusterView,
  context: ContextName,
  { tokens, authority }: ClusterSecurity = noSecurity,
): readonly Snippet[] {
  const withToken = (line: (token: string) => string): readonly string[] =>
    tokens === null ? [] : [line(tokens.application)];
  const withTrust = (...lines: ((file: string) => string)[]): readonly string[] =>
    authority === null ? [] : lines.map((line) => line(authority.file));
  const servers = view.nodes.map((node) => ({ host: node.host, port: node.grpc }));
  const list = servers.map((server) => `${server.host}:${server.port}`).join(',');
  const first = servers[0] ?? { host: 'localhost', port: 8124 };
  const snippet = (kind: SnippetKind, title: string, lines: readonly string[]): Snippet => ({
    kind,
    title,
    text: `${lines.join('\n')}\n`,
  });
  return [
    snippet('spring', 'Spring Boot (application.properties)', [
      `axon.axonserver.servers=${list}`,
      `axon.axonserver.context=${context}`,
      ...withToken((token) => `axon.axonserver.token=${token}`),
      ...withTrust(
        () => 'axon.axonserver.ssl-enabled=true',
        (file) => `axon.axonserver.cert-file=${file}`,
      ),
    ]),
    snippet('quarkus', 'Quarkus (application.properties)', [
      `quarkus.axon.server.servers=${list}`,
      `quarkus.axon.server.context=${context}`,
      ...withToken((token) => `# Token of the cluster: ${token}`),
      ...withTrust((file) => `# TLS; certificate to trust: ${file}`),
    ]),
    snippet('java', 'Java (axonserver-connector-java)', [
      'AxonServerConnectionFactory factory = AxonServerConnectionFactory.forClient("my-app")',
      '    .routingServers(',
      servers.map((server) => `        new ServerAddress("${server.host}", ${server.port})`).join(',\n') + ')',
      ...withToken((token) => `    .token("${token}")`),
      ...withTrust(
        (file) => `    .useTransportSecurity(GrpcSslContexts.forClient().trustManager(new File("${file}")).build())`,
      ),
      '    .build();',
      `AxonServerConnection connection = factory.connect("${context}");`,
    ]),
    snippet('python', 'Python (axonclient)', [
      ...pythonLines(context, first),
      ...withToken(() => '# axonclient sends no token: this cluster will refuse it.'),
      ...withTrust(() => '# axonclient speaks no TLS: this cluster will refuse it.'),
    ]),
    snippet('env', '.env', [
      `AXON_AXONSERVER_SERVERS=${list}`,
      `AXON_AXONSERVER_CONTEXT=${context}`,
      ...withToken((token) => `AXON_AXONSERVER_TOKEN=${token}`),
      ...withTrust(
        () => 'AXON_AXONSERVER_SSLENABLED=true',
        (file) => `AXON_AXONSERVER_CERTFILE=${file}`,
      ),
    ]),
    snippet('cli', 'Muster CLI', [
      `muster status ${view.name}`,
      `muster kill leader:${context} -c ${view.name}`,
      `muster wait leader:${context} -c ${view.name} --timeout 5s`,
    ]),
  ];
}

/** This client has one address and no context argument: it always talks to `default`, through the node it was given. */
function pythonLines(context: ContextName, first: { readonly host: string; readonly port: number }): readonly string[] {
  const lines = ['from axonclient import AxonClient', '', `client = AxonClient(uri="${first.host}:${first.port}")`];
  return context === 'default' ? lines : [...lines, `# axonclient knows only the context "default", not "${context}".`];
}
