package muster.compat;

import com.google.protobuf.ByteString;
import io.axoniq.axonserver.connector.AxonServerConnection;
import io.axoniq.axonserver.connector.AxonServerConnectionFactory;
import io.axoniq.axonserver.connector.Registration;
import io.axoniq.axonserver.connector.ReplyChannel;
import io.axoniq.axonserver.connector.ResultStream;
import io.axoniq.axonserver.connector.event.EventStream;
import io.axoniq.axonserver.connector.impl.ServerAddress;
import io.axoniq.axonserver.connector.query.QueryDefinition;
import io.axoniq.axonserver.connector.query.QueryHandler;
import io.axoniq.axonserver.grpc.ProcessingInstruction;
import io.axoniq.axonserver.grpc.ProcessingKey;
import io.axoniq.axonserver.grpc.MetaDataValue;
import io.axoniq.axonserver.grpc.SerializedObject;
import io.axoniq.axonserver.grpc.command.Command;
import io.axoniq.axonserver.grpc.command.CommandResponse;
import io.axoniq.axonserver.grpc.event.Event;
import io.axoniq.axonserver.grpc.query.QueryRequest;
import io.axoniq.axonserver.grpc.query.QueryResponse;
import io.axoniq.axonserver.grpc.query.QueryUpdate;
import io.axoniq.axonserver.grpc.query.SubscriptionQuery;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;

/**
 * The plain connector as a load generator: an asker on the first server, handlers on the last. Properties: as.servers, kind (commands,
 * queries, updates, appends, catchup), inFlight, warmUpMs, measureMs, events (stored beforehand for catchup). Prints one JSON object.
 */
final class BenchMain {
  private static final int WAIT_SECONDS = 30;
  private static final int BATCH = 500;
  private static final int STREAM_BUFFER = 5000;
  private static final int UPDATE_BUFFER = 256;
  private static final SerializedObject PAYLOAD =
      SerializedObject.newBuilder().setType("Bench").setData(ByteString.copyFromUtf8("x".repeat(200))).build();

  private final AxonServerConnection asker;
  private final AxonServerConnection handler;
  private final int inFlight = Integer.getInteger("inFlight");
  private final AtomicLong done = new AtomicLong();
  private final AtomicLong failures = new AtomicLong();
  private volatile boolean stopped;
  private volatile String firstFailure = "";

  private BenchMain() throws Exception {
    String[] servers = System.getProperty("as.servers").split(",");
    asker = connect("asker", servers[0]);
    handler = connect("handler", servers[servers.length - 1]);
  }

  public static void main(String[] args) throws Exception {
    BenchMain bench = new BenchMain();
    switch (System.getProperty("kind")) {
      case "commands" -> bench.commands();
      case "queries" -> bench.queries();
      case "updates" -> bench.updates();
      case "appends" -> bench.appends();
      case "catchup" -> bench.catchUp();
      default -> throw new IllegalArgumentException("unknown kind");
    }
    Thread.sleep(Integer.getInteger("warmUpMs"));
    long before = bench.done.get();
    long startedAt = System.nanoTime();
    Thread.sleep(Integer.getInteger("measureMs"));
    double seconds = (System.nanoTime() - startedAt) / 1e9;
    Map<String, Object> found = new LinkedHashMap<>();
    found.put("perSecond", Math.round((bench.done.get() - before) / seconds));
    found.put("failures", bench.failures.get());
    found.put("firstFailure", bench.firstFailure);
    found.put("connector", LoadedConnector.version());
    bench.stopped = true;
    System.out.println(Recorder.json(found));
    System.exit(0);
  }

  private static AxonServerConnection connect(String component, String server) throws Exception {
    String[] parts = server.split(":");
    return AxonServerConnectionFactory.forClient(component)
        .routingServers(new ServerAddress(parts[0], Integer.parseInt(parts[1])))
        .build()
        .connect("default");
  }

  private interface Call {
    CompletableFuture<?> once(int lane);
  }

  /** Keeps `inFlight` calls open: each lane calls again when its call is answered. */
  private void lanes(Call call) {
    for (int lane = 0; lane < inFlight; lane++) {
      again(call, lane);
    }
  }

  private void again(Call call, int lane) {
    if (stopped) {
      return;
    }
    call.once(lane).whenComplete((answer, problem) -> {
      note(problem);
      again(call, lane);
    });
  }

  private void note(Throwable problem) {
    if (problem == null) {
      done.incrementAndGet();
    } else if (failures.getAndIncrement() == 0) {
      firstFailure = String.valueOf(problem);
    }
  }

  private void commands() throws Exception {
    handler.commandChannel()
        .registerCommandHandler(
            (command) -> CompletableFuture.completedFuture(CommandResponse.newBuilder().setPayload(PAYLOAD).build()), 100, "Bench")
        .awaitAck(WAIT_SECONDS, TimeUnit.SECONDS);
    lanes((lane) -> asker.commandChannel()
        .sendCommand(Command.newBuilder().setName("Bench").setMessageIdentifier(UUID.randomUUID().toString()).setPayload(PAYLOAD).build())
        .thenAccept((response) -> {
          if (response.hasErrorMessage()) {
            throw new IllegalStateException(response.getErrorMessage().getMessage());
          }
        }));
  }

  private static QueryRequest query() {
    return QueryRequest.newBuilder()
        .setQuery("Bench")
        .setMessageIdentifier(UUID.randomUUID().toString())
        .setPayload(PAYLOAD)
        .setResponseType(PAYLOAD)
        .addProcessingInstructions(
            ProcessingInstruction.newBuilder()
                .setKey(ProcessingKey.NR_OF_RESULTS)
                .setValue(MetaDataValue.newBuilder().setNumberValue(1)))
        .build();
  }

  private void queries() throws Exception {
    handler.queryChannel().registerQueryHandler(new Answers(), new QueryDefinition("Bench", "Bench")).awaitAck(WAIT_SECONDS, TimeUnit.SECONDS);
    lanes((lane) -> {
      CompletableFuture<Void> answered = new CompletableFuture<>();
      ResultStream<QueryResponse> answers = asker.queryChannel().query(query());
      answers.onAvailable(() -> {
        QueryResponse response = answers.nextIfAvailable();
        if (response != null) {
          answers.close();
          answered.complete(null);
        } else if (answers.isClosed()) {
          answered.completeExceptionally(answers.getError().orElse(new IllegalStateException("no answer")));
        }
      });
      return answered;
    });
  }

  /** One subscription for each lane; an update is sent when the one before has arrived. */
  private void updates() throws Exception {
    Answers answers = new Answers();
    handler.queryChannel().registerQueryHandler(answers, new QueryDefinition("Bench", "Bench")).awaitAck(WAIT_SECONDS, TimeUnit.SECONDS);
    for (int lane = 0; lane < inFlight; lane++) {
      QueryRequest request = query();
      ResultStream<QueryUpdate> updates =
          asker.queryChannel().subscriptionQuery(request, PAYLOAD, UPDATE_BUFFER, UPDATE_BUFFER / 8).updates();
      updates.onAvailable(() -> {
        while (updates.nextIfAvailable() != null) {
          note(null);
          answers.update(request.getMessageIdentifier());
        }
        if (updates.isClosed() && !stopped) {
          note(updates.getError().orElse(new IllegalStateException("the updates ended")));
        }
      });
    }
  }

  private void appends() {
    String run = UUID.randomUUID().toString();
    long[] sequences = new long[inFlight];
    lanes((lane) -> asker.eventChannel().appendEvents(event(run + "-" + lane, sequences[lane]++)));
  }

  private void catchUp() throws Exception {
    long head = asker.eventChannel().getLastToken().get(WAIT_SECONDS, TimeUnit.SECONDS);
    String run = UUID.randomUUID().toString();
    for (long next = 0; next <= Integer.getInteger("events") - head; next += BATCH) {
      List<Event> batch = new ArrayList<>();
      for (int i = 0; i < BATCH; i++) {
        batch.add(event(run, next + i));
      }
      asker.eventChannel().appendEvents(batch.toArray(Event[]::new)).get(WAIT_SECONDS, TimeUnit.SECONDS);
    }
    long last = asker.eventChannel().getLastToken().get(WAIT_SECONDS, TimeUnit.SECONDS);
    for (int lane = 0; lane < inFlight; lane++) {
      Thread thread = new Thread(() -> readAgainAndAgain(last));
      thread.setDaemon(true);
      thread.start();
    }
  }

  private void readAgainAndAgain(long last) {
    while (!stopped) {
      try (EventStream stream = asker.eventChannel().openStream(-1, STREAM_BUFFER)) {
        while (!stopped && stream.next().getToken() < last) {
          done.incrementAndGet();
        }
      } catch (Exception problem) {
        note(problem);
      }
    }
  }

  private static Event event(String aggregate, long sequence) {
    return Event.newBuilder()
        .setMessageIdentifier(UUID.randomUUID().toString())
        .setAggregateIdentifier(aggregate)
        .setAggregateType("Bench")
        .setAggregateSequenceNumber(sequence)
        .setTimestamp(System.currentTimeMillis())
        .setPayload(PAYLOAD)
        .build();
  }

  private static final class Answers implements QueryHandler {
    private final Map<String, UpdateHandler> subscriptions = new ConcurrentHashMap<>();

    @Override
    public void handle(QueryRequest request, ReplyChannel<QueryResponse> replies) {
      replies.sendLast(QueryResponse.newBuilder().setRequestIdentifier(request.getMessageIdentifier()).setPayload(PAYLOAD).build());
    }

    @Override
    public Registration registerSubscriptionQuery(SubscriptionQuery query, UpdateHandler updates) {
      String id = query.getQueryRequest().getMessageIdentifier();
      subscriptions.put(id, updates);
      update(id);
      return () -> {
        subscriptions.remove(id);
        return CompletableFuture.completedFuture(null);
      };
    }

    void update(String id) {
      UpdateHandler updates = subscriptions.get(id);
      if (updates != null) {
        updates.sendUpdate(QueryUpdate.newBuilder().setPayload(PAYLOAD).build());
      }
    }
  }
}
