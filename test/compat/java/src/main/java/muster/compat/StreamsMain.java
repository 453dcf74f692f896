package muster.compat;

import com.google.protobuf.ByteString;
import io.axoniq.axonserver.connector.AxonServerConnection;
import io.axoniq.axonserver.connector.AxonServerConnectionFactory;
import io.axoniq.axonserver.connector.event.EventChannel;
import io.axoniq.axonserver.connector.event.PersistentStream;
import io.axoniq.axonserver.connector.event.PersistentStreamCallbacks;
import io.axoniq.axonserver.connector.event.PersistentStreamProperties;
import io.axoniq.axonserver.connector.event.PersistentStreamSegment;
import io.axoniq.axonserver.connector.impl.ServerAddress;
import io.axoniq.axonserver.grpc.SerializedObject;
import io.axoniq.axonserver.grpc.event.Event;
import io.axoniq.axonserver.grpc.streams.PersistentStreamEvent;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;

/** The plain connector as a consumer of a persistent stream, on two nodes one after the other. */
final class StreamsMain {
  private static final int WAIT_SECONDS = 30;
  private static final int AGGREGATES = 8;
  private static final String STREAM = "projection";

  private final Set<Long> tokens = ConcurrentHashMap.newKeySet();
  private final ConcurrentLinkedQueue<Long> all = new ConcurrentLinkedQueue<>();
  private final Set<Integer> segments = ConcurrentHashMap.newKeySet();

  private StreamsMain() {}

  public static void main(String[] args) throws Exception {
    Map<String, Object> found = new LinkedHashMap<>();
    found.put("connector", LoadedConnector.version());
    String[] servers = System.getProperty("as.servers").split(",");
    AxonServerConnectionFactory first = factory("one", servers[0]);
    AxonServerConnectionFactory second = factory("two", servers[1]);
    append(first.connect("default"), 0, 5);
    StreamsMain one = new StreamsMain();
    PersistentStream stream = one.open(first.connect("default").eventChannel());
    waitFor(() -> one.tokens.size() == 5 * AGGREGATES);
    found.put("first", one.all.size());
    StreamsMain two = new StreamsMain();
    PersistentStream other = two.open(second.connect("default").eventChannel());
    waitFor(() -> one.segments.size() == 2 && two.segments.size() == 2);
    append(first.connect("default"), 5, 5);
    waitFor(() -> one.tokens.size() + two.tokens.size() == 10 * AGGREGATES);
    stream.close();
    waitFor(() -> two.segments.size() == 4);
    append(second.connect("default"), 10, 1);
    waitFor(() -> one.tokens.size() + two.tokens.size() == 11 * AGGREGATES);
    found.put("once", one.all.size() + two.all.size() == 11 * AGGREGATES);
    found.put("both", !two.tokens.isEmpty() && two.tokens.stream().noneMatch(one.tokens::contains));
    other.close();
    first.shutdown();
    second.shutdown();
    System.out.println(Recorder.json(found));
    System.exit(0);
  }

  private static AxonServerConnectionFactory factory(String component, String server) {
    String[] parts = server.split(":");
    return AxonServerConnectionFactory.forClient(component, component + "-1")
        .routingServers(new ServerAddress(parts[0], Integer.parseInt(parts[1])))
        .build();
  }

  private PersistentStream open(EventChannel channel) {
    PersistentStreamCallbacks callbacks =
        new PersistentStreamCallbacks(
            segment -> segments.add(segment.segment()),
            this::giveBack,
            this::handle,
            error -> {});
    PersistentStreamProperties properties =
        new PersistentStreamProperties(
            "Projection", 4, "SequentialPerAggregatePolicy", List.of(), "TAIL", "payloadType = \"T\"");
    return channel.openPersistentStream(STREAM, 100, 50, callbacks, properties);
  }

  /** Tells the server at once that nothing is left to do here: it waits for that before another client gets the segment. */
  private void giveBack(PersistentStreamSegment segment) {
    segments.remove(segment.segment());
    handle(segment);
  }

  private synchronized void handle(PersistentStreamSegment segment) {
    try {
      PersistentStreamEvent event;
      while ((event = segment.nextIfAvailable()) != null) {
        long token = event.getEvent().getToken();
        all.add(token);
        tokens.add(token);
        segment.acknowledge(token);
      }
      if (segment.isClosed()) segment.acknowledge(PersistentStreamSegment.PENDING_WORK_DONE_MARKER);
    } catch (RuntimeException closed) {
      segment.acknowledge(PersistentStreamSegment.PENDING_WORK_DONE_MARKER);
    }
  }

  private static void append(AxonServerConnection connection, int from, int count) throws Exception {
    for (int sequence = from; sequence < from + count; sequence++) {
      for (int aggregate = 0; aggregate < AGGREGATES; aggregate++) {
        SerializedObject payload =
            SerializedObject.newBuilder().setType("T").setData(ByteString.copyFromUtf8("{}")).build();
        Event event =
            Event.newBuilder()
                .setMessageIdentifier(aggregate + "-" + sequence)
                .setAggregateIdentifier("stream-" + aggregate)
                .setAggregateType("Test")
                .setAggregateSequenceNumber(sequence)
                .setTimestamp(System.currentTimeMillis())
                .setPayload(payload)
                .build();
        connection.eventChannel().appendEvents(event).get(WAIT_SECONDS, TimeUnit.SECONDS);
      }
    }
  }

  private static void waitFor(BooleanSupplier condition) throws InterruptedException {
    long until = System.nanoTime() + TimeUnit.SECONDS.toNanos(WAIT_SECONDS);
    while (!condition.getAsBoolean()) {
      if (System.nanoTime() > until) throw new IllegalStateException("waited too long");
      Thread.sleep(20);
    }
  }
}
