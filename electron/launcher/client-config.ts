// Pure: what an app must be told to find the cluster (ux.md §6), with the live ports. Entry point: `snippetsOf`.
import type { ClusterView, ContextName, Snippet, SnippetKind } from '../contract/model.ts';

export function snippetsOf(view: ClusterView, context: ContextName): readonly Snippet[] {
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
    ]),
    snippet('quarkus', 'Quarkus (application.properties)', [
      `quarkus.axon.server.servers=${list}`,
      `quarkus.axon.server.context=${context}`,
    ]),
    snippet('java', 'Java (axonserver-connector-java)', [
      'AxonServerConnectionFactory factory = AxonServerConnectionFactory.forClient("my-app")',
      '    .routingServers(',
      servers.map((server) => `        new ServerAddress("${server.host}", ${server.port})`).join(',\n') + ')',
      '    .build();',
      `AxonServerConnection connection = factory.connect("${context}");`,
    ]),
    snippet('python', 'Python (axonclient)', pythonLines(context, first)),
    snippet('env', '.env', [`AXON_AXONSERVER_SERVERS=${list}`, `AXON_AXONSERVER_CONTEXT=${context}`]),
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
