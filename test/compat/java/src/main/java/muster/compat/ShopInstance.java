package muster.compat;

import io.axoniq.axonserver.connector.AxonServerConnection;
import io.axoniq.axonserver.connector.event.PersistentStreamProperties;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicInteger;
import muster.compat.ShopMessages.CountQuery;
import muster.compat.ShopMessages.OfferQuery;
import muster.compat.ShopMessages.OrderPlaced;
import muster.compat.ShopMessages.OrderShipped;
import muster.compat.ShopMessages.ShopEvent;
import muster.compat.ShopMessages.StatusQuery;
import muster.compat.ShopMessages.Urgent;
import muster.compat.ShopMessages.WhoHandles;
import org.axonframework.axonserver.connector.AxonServerConfiguration;
import org.axonframework.axonserver.connector.AxonServerConnectionManager;
import org.axonframework.axonserver.connector.ManagedChannelCustomizer;
import org.axonframework.axonserver.connector.command.CommandPriorityCalculator;
import org.axonframework.axonserver.connector.event.axon.AxonServerEventScheduler;
import org.axonframework.axonserver.connector.event.axon.PersistentStreamMessageSource;
import org.axonframework.commandhandling.CommandHandler;
import org.axonframework.config.AggregateConfigurer;
import org.axonframework.config.Configuration;
import org.axonframework.config.ConfigurationScopeAwareProvider;
import org.axonframework.config.Configurer;
import org.axonframework.config.DefaultConfigurer;
import org.axonframework.config.EventProcessingConfigurer.PooledStreamingProcessorConfiguration;
import org.axonframework.config.ProcessingGroup;
import org.axonframework.deadline.SimpleDeadlineManager;
import org.axonframework.eventhandling.EventHandler;
import org.axonframework.eventhandling.EventMessage;
import org.axonframework.eventhandling.PropagatingErrorHandler;
import org.axonframework.eventhandling.ReplayStatus;
import org.axonframework.eventhandling.StreamingEventProcessor;
import org.axonframework.eventhandling.TrackingEventProcessorConfiguration;
import org.axonframework.eventhandling.scheduling.EventScheduler;
import org.axonframework.eventhandling.tokenstore.TokenStore;
import org.axonframework.eventhandling.tokenstore.jdbc.JdbcTokenStore;
import org.axonframework.eventsourcing.EventCountSnapshotTriggerDefinition;
import org.axonframework.messaging.StreamableMessageSource;
import org.axonframework.queryhandling.QueryHandler;
import org.axonframework.queryhandling.QueryUpdateEmitter;
import org.axonframework.serialization.json.JacksonSerializer;
import reactor.core.publisher.Flux;

/** One running instance: of the component "shop" with all processors, or of "billing", which handles payments alone. */
final class ShopInstance {
  static final String POOLED = "pooled";
  /** Of the framework's default kind: after a lost stream the pooled one of 4.12.2 may get into the way of itself (docs/compat.md). */
  static final String TRACKED = "tracked";
  static final int SEGMENTS = 4;
  private static final int EVENTS_PER_SNAPSHOT = 5;
  private static final int THREADS = 8;
  private static final String STREAM = "shop-stream";
  /** Longer than any handler waits for a node that is frozen: no instance takes a segment from one that still works on it. */
  private static final Duration CLAIM = Duration.ofSeconds(120);

  final Configuration configuration;

  private ShopInstance(Configuration configuration) {
    this.configuration = configuration;
  }

  static ShopInstance shop(String name, ShopWorld world) {
    JacksonSerializer serializer = JacksonSerializer.builder().defaultTyping().build();
    Shop handlers = new Shop(name, world);
    Configurer configurer = basics(server(name, "shop"), serializer, world)
        .configureAggregate(
            AggregateConfigurer.defaultConfiguration(Order.class)
                .configureSnapshotTrigger(c -> new EventCountSnapshotTriggerDefinition(c.snapshotter(), EVENTS_PER_SNAPSHOT)))
        .registerCommandHandler(c -> handlers)
        .registerQueryHandler(c -> handlers)
        .registerEventUpcaster(c -> new OrderPlacedUpcaster())
        .registerComponent(EventScheduler.class, c -> eventScheduler(c, serializer))
        .configureDeadlineManager(
            c -> SimpleDeadlineManager.builder()
                .scopeAwareProvider(new ConfigurationScopeAwareProvider(c))
                .scheduledExecutorService(Executors.newScheduledThreadPool(THREADS))
                .build());
    PooledStreamingProcessorConfiguration fromTheStart = (c, builder) ->
        builder.initialSegmentCount(SEGMENTS)
            .initialToken(StreamableMessageSource::createTailToken)
            .workerExecutor(each -> Executors.newScheduledThreadPool(THREADS));
    TrackingEventProcessorConfiguration tracking =
        TrackingEventProcessorConfiguration.forParallelProcessing(THREADS)
            .andInitialSegmentsCount(SEGMENTS)
            .andInitialTrackingToken(StreamableMessageSource::createTailToken);
    configurer.eventProcessing(processing -> processing
        .registerTokenStore(c -> tokenStore(name, serializer, world))
        .registerSagaStore(c -> world.sagas)
        .registerSaga(OrderSaga.class)
        .registerDefaultListenerInvocationErrorHandler(c -> PropagatingErrorHandler.INSTANCE)
        .registerEventHandler(c -> new Orders(name, world, c))
        .registerEventHandler(c -> new Pooled(name, world))
        .registerEventHandler(c -> new Streamed(name, world))
        .registerTrackingEventProcessor("sagas", Configuration::eventStore, c -> tracking)
        .registerTrackingEventProcessor(TRACKED, Configuration::eventStore, c -> tracking)
        .registerPooledStreamingEventProcessor(POOLED, Configuration::eventStore, fromTheStart)
        .registerSubscribingEventProcessor("streamed", ShopInstance::persistentStream));
    return new ShopInstance(configurer.start());
  }

  static ShopInstance billing(ShopWorld world) {
    AxonServerConfiguration server = server("billing-1", "billing");
    server.setCommandThreads(1);
    Billing handlers = new Billing(world);
    return new ShopInstance(
        basics(server, JacksonSerializer.builder().defaultTyping().build(), world)
            .configureAggregate(Payment.class)
            .registerCommandHandler(c -> handlers)
            .registerQueryHandler(c -> handlers)
            .start());
  }

  private static AxonServerConfiguration server(String clientId, String component) {
    AxonServerConfiguration server = new AxonServerConfiguration();
    server.setServers(System.getProperty("as.servers"));
    server.setClientId(clientId);
    server.setComponentName(component);
    return server;
  }

  private static Configurer basics(AxonServerConfiguration server, JacksonSerializer serializer, ShopWorld world) {
    return DefaultConfigurer.defaultConfiguration()
        .registerComponent(AxonServerConfiguration.class, c -> server)
        .registerComponent(ManagedChannelCustomizer.class, c -> channel -> channel.intercept(new LoadWatcher(world.latestInitialSequence)))
        .registerComponent(ShopWorld.class, c -> world)
        .registerComponent(
            CommandPriorityCalculator.class,
            c -> command -> command.getPayload() instanceof Urgent urgent ? urgent.priority() : 0)
        .configureSerializer(c -> serializer)
        .configureEventSerializer(c -> serializer)
        .configureMessageSerializer(c -> serializer);
  }

  private static EventScheduler eventScheduler(Configuration configuration, JacksonSerializer serializer) {
    AxonServerEventScheduler scheduler = AxonServerEventScheduler.builder()
        .connectionManager(configuration.getComponent(AxonServerConnectionManager.class))
        .eventSerializer(serializer)
        .build();
    scheduler.start();
    return scheduler;
  }

  private static TokenStore tokenStore(String name, JacksonSerializer serializer, ShopWorld world) {
    return JdbcTokenStore.builder()
        .connectionProvider(world::tokens)
        .serializer(serializer)
        .nodeId(name)
        .claimTimeout(CLAIM)
        .build();
  }

  private static PersistentStreamMessageSource persistentStream(Configuration configuration) {
    PersistentStreamProperties properties =
        new PersistentStreamProperties(STREAM, SEGMENTS, "SequentialPerAggregatePolicy", List.of(), "TAIL", null);
    return new PersistentStreamMessageSource(STREAM, configuration, properties, Executors.newScheduledThreadPool(THREADS), THREADS);
  }

  AxonServerConnection connection() {
    return configuration.getComponent(AxonServerConnectionManager.class).getConnection("default");
  }

  StreamingEventProcessor processor(String processor) {
    return configuration.eventProcessingConfiguration().eventProcessor(processor, StreamingEventProcessor.class).orElseThrow();
  }

  /** Commands and queries of every instance of the shop. */
  record Shop(String name, ShopWorld world) {
    @CommandHandler
    String handle(WhoHandles command) {
      return name;
    }

    @QueryHandler
    String handle(StatusQuery query) {
      return world.statuses.getOrDefault(query.orderId(), "unknown");
    }

    @QueryHandler
    String handle(OfferQuery query) {
      return "shop " + query.item();
    }

    @QueryHandler
    Flux<Integer> handle(CountQuery query) {
      return Flux.range(1, query.upTo());
    }
  }

  record Billing(ShopWorld world) {
    @CommandHandler
    void handle(Urgent command) throws InterruptedException {
      world.gate.await();
      world.urgent.add(command.name());
    }

    @QueryHandler
    String handle(OfferQuery query) {
      return "billing " + query.item();
    }
  }

  /** The view of all orders, shared by the instances segment by segment. */
  @ProcessingGroup(TRACKED)
  record Orders(String name, ShopWorld world, Configuration configuration) {
    @EventHandler
    void on(ShopEvent event, EventMessage<?> message, ReplayStatus replay) {
      world.tracked.add(name, message, replay);
      if (event instanceof OrderPlaced placed) {
        world.prices.put(event.orderId(), placed.cents());
        world.statuses.putIfAbsent(event.orderId(), "placed");
      }
      if (event instanceof OrderShipped) {
        world.statuses.put(event.orderId(), "shipped");
        QueryUpdateEmitter emitter = configuration.queryUpdateEmitter();
        emitter.emit(StatusQuery.class, query -> query.orderId().equals(event.orderId()), "shipped");
      }
    }
  }

  @ProcessingGroup(POOLED)
  record Pooled(String name, ShopWorld world) {
    @EventHandler
    void on(ShopEvent event, EventMessage<?> message, ReplayStatus replay) {
      world.pooled.add(name, message, replay);
    }
  }

  /** What the persistent stream brings. */
  @ProcessingGroup("streamed")
  record Streamed(String name, ShopWorld world) {
    @EventHandler
    void on(ShopEvent event, EventMessage<?> message) {
      world.streamed.computeIfAbsent(message.getIdentifier(), (key) -> new AtomicInteger()).incrementAndGet();
      world.streamedBy.add(name);
    }
  }
}
