package muster.compat;

import io.axoniq.axonserver.grpc.event.Event;
import io.axoniq.axonserver.grpc.event.EventStoreGrpc;
import io.axoniq.axonserver.grpc.event.EventWithToken;
import io.axoniq.axonserver.grpc.event.GetAggregateEventsRequest;
import io.axoniq.axonserver.grpc.event.GetEventsRequest;
import io.axoniq.axonserver.grpc.event.GetLastTokenRequest;
import io.grpc.ManagedChannel;
import io.grpc.ManagedChannelBuilder;
import io.grpc.Metadata;
import io.grpc.stub.MetadataUtils;
import io.grpc.stub.StreamObserver;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.HexFormat;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.TreeSet;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;

/**
 * Reads everything from exactly one node, with the published connector's stubs (the connector itself follows redirects to other nodes).
 * Arguments: host, port, output file. Writes {token, id, aggregate, sequence, payload, digest} per event in stream order, then
 * {aggregate, events, digest} per aggregate; prints a summary.
 */
final class VerifyMain {
  private static final int WAIT_SECONDS = 60;
  private static final Metadata.Key<String> CONTEXT = Metadata.Key.of("AxonIQ-Context", Metadata.ASCII_STRING_MARSHALLER);

  private VerifyMain() {}

  public static void main(String[] args) throws Exception {
    Metadata headers = new Metadata();
    headers.put(CONTEXT, System.getProperty("as.context", "default"));
    ManagedChannel channel =
        ManagedChannelBuilder.forAddress(args[0], Integer.parseInt(args[1])).usePlaintext().intercept(MetadataUtils.newAttachHeadersInterceptor(headers)).build();
    try (Recorder out = new Recorder(Path.of(args[2]))) {
      long head = EventStoreGrpc.newBlockingStub(channel).withDeadlineAfter(WAIT_SECONDS, TimeUnit.SECONDS).getLastToken(GetLastTokenRequest.getDefaultInstance()).getToken();
      TreeSet<String> aggregates = new TreeSet<>();
      readStream(channel, head, out, aggregates);
      for (String aggregate : aggregates) {
        readAggregate(channel, aggregate, out);
      }
      System.out.println(Recorder.json(Map.of("lastToken", head, "aggregates", aggregates.size())));
    } finally {
      channel.shutdownNow();
    }
    System.exit(0);
  }

  private static void readStream(ManagedChannel channel, long head, Recorder out, TreeSet<String> aggregates) throws Exception {
    if (head < 0) {
      return;
    }
    CountDownLatch done = new CountDownLatch(1);
    AtomicReference<Throwable> problem = new AtomicReference<>();
    StreamObserver<GetEventsRequest> requests =
        EventStoreGrpc.newStub(channel).listEvents(new StreamObserver<>() {
          @Override
          public void onNext(EventWithToken item) {
            if (item.getToken() > head) {
              return;
            }
            aggregates.add(item.getEvent().getAggregateIdentifier());
            out.write(line(item));
            if (item.getToken() == head) {
              done.countDown();
            }
          }

          @Override
          public void onError(Throwable error) {
            problem.compareAndSet(null, error);
            done.countDown();
          }

          @Override
          public void onCompleted() {
            done.countDown();
          }
        });
    requests.onNext(GetEventsRequest.newBuilder().setTrackingToken(0).setNumberOfPermits(Integer.MAX_VALUE).setClientId("verify").setComponentName("verify").build());
    if (!done.await(WAIT_SECONDS, TimeUnit.SECONDS)) {
      throw new IllegalStateException("the stream did not reach token " + head + " within " + WAIT_SECONDS + " s");
    }
    if (problem.get() != null) {
      throw new IllegalStateException("the stream failed", problem.get());
    }
    requests.onCompleted();
  }

  private static Map<String, Object> line(EventWithToken item) {
    Event event = item.getEvent();
    Map<String, Object> line = new LinkedHashMap<>();
    line.put("token", item.getToken());
    line.put("id", event.getMessageIdentifier());
    line.put("aggregate", event.getAggregateIdentifier());
    line.put("sequence", event.getAggregateSequenceNumber());
    line.put("payload", event.getPayload().getData().toString(StandardCharsets.UTF_8));
    line.put("digest", digestOf(event.toByteArray()));
    return line;
  }

  private static void readAggregate(ManagedChannel channel, String aggregate, Recorder out) throws Exception {
    Iterator<Event> events =
        EventStoreGrpc.newBlockingStub(channel)
            .withDeadlineAfter(WAIT_SECONDS, TimeUnit.SECONDS)
            .listAggregateEvents(GetAggregateEventsRequest.newBuilder().setAggregateId(aggregate).build());
    MessageDigest digest = MessageDigest.getInstance("SHA-256");
    long expected = 0;
    while (events.hasNext()) {
      Event event = events.next();
      if (event.getAggregateSequenceNumber() != expected) {
        throw new IllegalStateException(aggregate + ": sequence " + event.getAggregateSequenceNumber() + " where " + expected + " was expected");
      }
      expected += 1;
      digest.update(event.toByteArray());
    }
    Map<String, Object> line = new LinkedHashMap<>();
    line.put("aggregate", aggregate);
    line.put("events", expected);
    line.put("digest", HexFormat.of().formatHex(digest.digest()));
    out.write(line);
  }

  private static String digestOf(byte[] bytes) {
    try {
      return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(bytes));
    } catch (java.security.NoSuchAlgorithmException e) {
      throw new IllegalStateException(e);
    }
  }
}
