package muster.compat;

import io.axoniq.axonserver.connector.AxonServerConnection;
import java.nio.file.Path;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.BooleanSupplier;
import org.axonframework.axonserver.connector.AxonServerConfiguration;
import org.axonframework.axonserver.connector.AxonServerConnectionManager;
import org.axonframework.axonserver.connector.ManagedChannelCustomizer;
import org.axonframework.config.AggregateConfigurer;
import org.axonframework.config.Configuration;
import org.axonframework.config.Configurer;
import org.axonframework.config.DefaultConfigurer;
import org.axonframework.eventhandling.TrackingEventProcessorConfiguration;
import org.axonframework.eventhandling.tokenstore.inmemory.InMemoryTokenStore;
import org.axonframework.eventsourcing.EventCountSnapshotTriggerDefinition;
import org.axonframework.serialization.json.JacksonSerializer;

/** Wires the application the way a team would, without Spring. System properties: as.servers, as.context, out (folder for records). */
final class Application implements AutoCloseable {
  static final int EVENTS_PER_SNAPSHOT = 5;
  private static final int AUDIT_SEGMENTS = 4;

  /** What runs `audit`, in four segments. The pooled kind of 4.12.2 may get into the way of itself after a lost stream (docs/compat.md). */
  enum AuditKind { POOLED, TRACKING }

  final Configuration configuration;
  final Projection.Balances balances;
  final Projection.Audit audit;
  /** Lowest sequence number that the latest load of each aggregate asked for: above 0 means that a snapshot was used. */
  final Map<String, Long> latestInitialSequence = new ConcurrentHashMap<>();
  private final Recorder seen;
  private final String context = System.getProperty("as.context", "default");

  Application(String componentName, AuditKind auditKind) {
    seen = new Recorder(outFile("seen.jsonl"));
    balances = new Projection.Balances(seen);
    audit = new Projection.Audit(seen);
    AxonServerConfiguration server = new AxonServerConfiguration();
    server.setServers(System.getProperty("as.servers", "127.0.0.1:8124"));
    server.setComponentName(componentName);
    server.setContext(context);
    JacksonSerializer serializer = JacksonSerializer.builder().defaultTyping().build();
    Configurer configurer =
        DefaultConfigurer.defaultConfiguration()
            .registerComponent(AxonServerConfiguration.class, c -> server)
            .registerComponent(ManagedChannelCustomizer.class, c -> builder -> builder.intercept(new LoadWatcher(latestInitialSequence)))
            .configureSerializer(c -> serializer)
            .configureEventSerializer(c -> serializer)
            .configureMessageSerializer(c -> serializer)
            .configureAggregate(
                AggregateConfigurer.defaultConfiguration(Account.class)
                    .configureSnapshotTrigger(c -> new EventCountSnapshotTriggerDefinition(c.snapshotter(), EVENTS_PER_SNAPSHOT)))
            .registerQueryHandler(c -> balances);
    configurer.eventProcessing(
        processing ->
            processing
                .registerTokenStore(c -> new InMemoryTokenStore())
                .registerEventHandler(c -> balances)
                .registerEventHandler(c -> audit)
                .assignHandlerInstancesMatching("balances", handler -> handler == balances)
                .assignHandlerInstancesMatching("audit", handler -> handler == audit)
                .registerTrackingEventProcessor(
                    "balances",
                    org.axonframework.config.Configuration::eventStore,
                    c -> TrackingEventProcessorConfiguration.forSingleThreadedProcessing()));
    configurer.eventProcessing(
        processing -> {
          switch (auditKind) {
            case POOLED ->
                processing.registerPooledStreamingEventProcessor(
                    "audit", Configuration::eventStore, (c, builder) -> builder.initialSegmentCount(AUDIT_SEGMENTS));
            case TRACKING ->
                processing.registerTrackingEventProcessor(
                    "audit",
                    Configuration::eventStore,
                    c -> TrackingEventProcessorConfiguration.forParallelProcessing(AUDIT_SEGMENTS));
          }
        });
    configuration = configurer.start();
    balances.emitTo(configuration.queryUpdateEmitter());
  }

  static Path outFile(String name) {
    return Path.of(System.getProperty("out", "target"), name);
  }

  AxonServerConnection connection() {
    return configuration.getComponent(AxonServerConnectionManager.class).getConnection(context);
  }

  /** Waits until handlers are acknowledged by the server. */
  void awaitReady(long seconds) throws Exception {
    await("a connection that is ready", seconds, () -> connection().isReady());
  }

  /** Waits until both processors handled everything up to the last token of the store; the segments of `audit` run side by side. */
  void awaitProcessors(long seconds) throws Exception {
    long head = connection().eventChannel().getLastToken().get(seconds, TimeUnit.SECONDS);
    await("the tracking processor at token " + head, seconds, () -> balances.highestToken.get() >= head);
    await("the processor audit with " + balances.events.get() + " events", seconds, () -> audit.events.get() >= balances.events.get());
  }

  static void await(String what, long seconds, BooleanSupplier condition) throws Exception {
    long giveUpAt = System.nanoTime() + TimeUnit.SECONDS.toNanos(seconds);
    while (!condition.getAsBoolean()) {
      if (System.nanoTime() > giveUpAt) {
        throw new TimeoutException("waited " + seconds + " s for " + what);
      }
      Thread.sleep(20);
    }
  }

  @Override
  public void close() throws Exception {
    configuration.shutdown();
    seen.close();
  }
}
