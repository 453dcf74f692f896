package muster.compat;

import io.axoniq.axonserver.connector.AxonServerConnection;
import io.axoniq.axonserver.connector.AxonServerConnectionFactory;
import io.axoniq.axonserver.connector.event.EventChannel;
import io.axoniq.axonserver.connector.impl.ServerAddress;
import io.axoniq.axonserver.grpc.SerializedObject;
import io.axoniq.axonserver.grpc.event.Event;
import io.grpc.netty.shaded.io.grpc.netty.GrpcSslContexts;
import java.io.File;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/** The plain connector with a token and a certificate to trust: appends and reads, and does neither without the token. */
final class SecureMain {
  private static final int WAIT_SECONDS = 20;
  private static final int REFUSED_SECONDS = 5;

  private SecureMain() {}

  public static void main(String[] args) throws Exception {
    Map<String, Object> found = new LinkedHashMap<>();
    found.put("connector", LoadedConnector.version());
    String server = System.getProperty("as.servers").split(",")[0];
    EventChannel events = connect(server, System.getProperty("as.token")).eventChannel();
    events.appendEvents(event(0)).get(WAIT_SECONDS, TimeUnit.SECONDS);
    found.put("last", events.getLastToken().get(WAIT_SECONDS, TimeUnit.SECONDS));
    try {
      EventChannel others = connect(server, "nobody-has-this-token").eventChannel();
      others.appendEvents(event(1)).get(REFUSED_SECONDS, TimeUnit.SECONDS);
      found.put("refused", "no");
    } catch (TimeoutException | java.util.concurrent.ExecutionException | RuntimeException error) {
      found.put("refused", "yes");
    }
    found.put("still", events.getLastToken().get(WAIT_SECONDS, TimeUnit.SECONDS));
    System.out.println(Recorder.json(found));
    System.exit(0);
  }

  private static AxonServerConnection connect(String server, String token) throws Exception {
    String[] parts = server.split(":");
    return AxonServerConnectionFactory.forClient("secure", "secure-" + token.hashCode())
        .routingServers(new ServerAddress(parts[0], Integer.parseInt(parts[1])))
        .token(token)
        .useTransportSecurity(
            GrpcSslContexts.forClient().trustManager(new File(System.getProperty("as.trust"))).build())
        .build()
        .connect("default");
  }

  private static Event event(long sequence) {
    return Event.newBuilder()
        .setMessageIdentifier("m-" + sequence)
        .setAggregateIdentifier("a-1")
        .setAggregateType("Test")
        .setAggregateSequenceNumber(sequence)
        .setTimestamp(System.currentTimeMillis())
        .setPayload(SerializedObject.newBuilder().setType("Text").build())
        .build();
  }
}
