package muster.compat;

import io.axoniq.axonserver.connector.AxonServerConnection;
import io.axoniq.axonserver.connector.AxonServerConnectionFactory;
import io.axoniq.axonserver.connector.ResultStream;
import io.axoniq.axonserver.connector.admin.AdminChannel;
import io.axoniq.axonserver.connector.control.ProcessorInstructionHandler;
import io.axoniq.axonserver.connector.event.EventChannel;
import io.axoniq.axonserver.connector.event.EventQueryResultEntry;
import io.axoniq.axonserver.connector.event.EventStream;
import io.axoniq.axonserver.connector.impl.ServerAddress;
import io.axoniq.axonserver.grpc.SerializedObject;
import io.axoniq.axonserver.grpc.admin.ContextOverview;
import io.axoniq.axonserver.grpc.admin.CreateContextRequest;
import io.axoniq.axonserver.grpc.admin.DeleteContextRequest;
import io.axoniq.axonserver.grpc.admin.EventProcessor;
import io.axoniq.axonserver.grpc.control.EventProcessorInfo;
import io.axoniq.axonserver.grpc.event.Event;
import java.time.Duration;
import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;

/** The plain connector: an application with an event processor on one node, its administration through another. */
final class AdminMain {
  private static final int WAIT_SECONDS = 20;
  private static final String STORE = "store-1";

  private AdminMain() {}

  public static void main(String[] args) throws Exception {
    Map<String, Object> found = new LinkedHashMap<>();
    found.put("connector", LoadedConnector.version());
    String[] servers = System.getProperty("as.servers").split(",");
    AxonServerConnectionFactory application = factory("shop", servers[0]);
    AxonServerConnectionFactory console = factory("console", servers[1]);
    AxonServerConnection connection = application.connect("default");
    processors(connection, console.connect("_admin").adminChannel(), console.connect("default").adminChannel(), found);
    contexts(console.connect("_admin").adminChannel(), found);
    events(connection.eventChannel(), found);
    application.shutdown();
    console.shutdown();
    System.out.println(Recorder.json(found));
    System.exit(0);
  }

  private static AxonServerConnectionFactory factory(String component, String server) {
    String[] parts = server.split(":");
    return AxonServerConnectionFactory.forClient(component, component + "-1")
        .routingServers(new ServerAddress(parts[0], Integer.parseInt(parts[1])))
        .build();
  }

  private static <T> T get(CompletableFuture<T> future) throws Exception {
    return future.get(WAIT_SECONDS, TimeUnit.SECONDS);
  }

  private static void processors(
      AxonServerConnection connection, AdminChannel admin, AdminChannel ofContext, Map<String, Object> found)
      throws Exception {
    List<String> obeyed = new CopyOnWriteArrayList<>();
    connection.controlChannel().registerEventProcessor("orders", AdminMain::status, new Instructions(obeyed));
    found.put("capacity", awaitProcessor(admin).getClientInstance(0).getMaxCapacity());
    found.put("pause", get(admin.pauseEventProcessor("orders", STORE, "default")).name());
    found.put("start", get(admin.startEventProcessor("orders", STORE, "default")).name());
    found.put("split", get(admin.splitEventProcessor("orders", STORE, "default")).name());
    try {
      found.put("merge", get(admin.mergeEventProcessor("orders", STORE, "default")).name());
    } catch (ExecutionException refused) {
      found.put("merge", refused.getCause().getMessage());
    }
    get(ofContext.loadBalanceEventProcessor("orders", STORE, "threadNumber"));
    get(ofContext.setAutoLoadBalanceStrategy("orders", STORE, "default"));
    found.put("strategies", get(admin.getBalancingStrategies()).size());
    found.put("obeyed", String.join(" ", obeyed));
  }

  private static EventProcessorInfo status() {
    EventProcessorInfo.SegmentStatus segment =
        EventProcessorInfo.SegmentStatus.newBuilder().setSegmentId(0).setOnePartOf(1).build();
    return EventProcessorInfo.newBuilder()
        .setProcessorName("orders")
        .setMode("Tracking")
        .setRunning(true)
        .setAvailableThreads(3)
        .setTokenStoreIdentifier(STORE)
        .setIsStreamingProcessor(true)
        .addSegmentStatus(segment)
        .build();
  }

  private static EventProcessor awaitProcessor(AdminChannel admin) throws Exception {
    long until = System.nanoTime() + TimeUnit.SECONDS.toNanos(WAIT_SECONDS);
    while (System.nanoTime() < until) {
      try (ResultStream<EventProcessor> processors = admin.eventProcessors()) {
        EventProcessor processor = processors.nextIfAvailable(2, TimeUnit.SECONDS);
        if (processor != null) return processor;
      }
    }
    throw new IllegalStateException("the processor was never reported");
  }

  private static void contexts(AdminChannel admin, Map<String, Object> found) throws Exception {
    get(admin.createContext(CreateContextRequest.newBuilder().setName("orders").setReplicationGroupName("default").build()));
    List<String> names = get(admin.getAllContexts()).stream().map(ContextOverview::getName).sorted().toList();
    found.put("contexts", String.join(" ", names));
    found.put("members", get(admin.getContextOverview("orders")).getReplicationGroup().getMembersCount());
    get(admin.deleteContext(DeleteContextRequest.newBuilder().setName("orders").build()));
    found.put("nodes", get(admin.getAllNodes()).size());
    found.put("application", get(admin.getAllConnectedApplications("default")).getApplicationsList().stream()
        .anyMatch(each -> each.getName().equals("shop")));
  }

  private static void events(EventChannel events, Map<String, Object> found) throws Exception {
    String first = get(events.scheduleEvent(Duration.ofMillis(500), event("first")));
    get(events.reschedule(first, Duration.ofMillis(300), event("second")));
    String later = get(events.scheduleEvent(Instant.now().plusSeconds(60), event("later")));
    found.put("cancelled", get(events.cancelSchedule(later)).getSuccess());
    try (EventStream stream = events.openStream(-1, 10)) {
      found.put("fired", stream.nextIfAvailable(WAIT_SECONDS, TimeUnit.SECONDS).getEvent().getMessageIdentifier());
    }
    try (ResultStream<EventQueryResultEntry> rows = events.queryEvents("select(eventIdentifier, token)", false)) {
      EventQueryResultEntry row = rows.nextIfAvailable(WAIT_SECONDS, TimeUnit.SECONDS);
      found.put("row", row.getValueAsString("eventIdentifier") + " " + row.getIdentifiers());
      found.put("ended", rows.nextIfAvailable(1, TimeUnit.SECONDS) == null && rows.isClosed());
    }
    try (ResultStream<EventQueryResultEntry> live = events.queryEvents("count()", true)) {
      found.put("count", live.nextIfAvailable(WAIT_SECONDS, TimeUnit.SECONDS).getValueAsLong("count"));
      get(events.scheduleEvent(Instant.now().minusSeconds(5), event("past")));
      found.put("liveCount", live.nextIfAvailable(WAIT_SECONDS, TimeUnit.SECONDS).getValueAsLong("count"));
    }
  }

  private static Event event(String id) {
    SerializedObject payload = SerializedObject.newBuilder().setType("Reminder").build();
    return Event.newBuilder().setMessageIdentifier(id).setTimestamp(5).setPayload(payload).build();
  }

  /** Obeys everything but a merge. */
  private record Instructions(List<String> obeyed) implements ProcessorInstructionHandler {
    @Override
    public CompletableFuture<Boolean> releaseSegment(int segment) {
      return done("release" + segment, true);
    }

    @Override
    public CompletableFuture<Boolean> splitSegment(int segment) {
      return done("split" + segment, true);
    }

    @Override
    public CompletableFuture<Boolean> mergeSegment(int segment) {
      return done("merge" + segment, false);
    }

    @Override
    public CompletableFuture<Void> pauseProcessor() {
      return done("pause", null);
    }

    @Override
    public CompletableFuture<Void> startProcessor() {
      return done("start", null);
    }

    private <T> CompletableFuture<T> done(String what, T result) {
      obeyed.add(what);
      return CompletableFuture.completedFuture(result);
    }
  }
}
