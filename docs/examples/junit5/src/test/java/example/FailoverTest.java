package example;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.protobuf.ByteString;
import io.axoniq.axonserver.connector.AxonServerConnection;
import io.axoniq.axonserver.connector.AxonServerConnectionFactory;
import io.axoniq.axonserver.connector.impl.ServerAddress;
import io.axoniq.axonserver.grpc.SerializedObject;
import io.axoniq.axonserver.grpc.event.Event;
import java.time.Duration;
import java.time.Instant;
import java.util.Arrays;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** What an app promises its users, kept while nodes of its cluster die. */
class FailoverTest {
  @RegisterExtension static final MusterCluster cluster = new MusterCluster("failover-test", 3);

  private static final Duration UNTIL_ANSWERED_MAX = Duration.ofSeconds(20);

  private final String account = "account-" + UUID.randomUUID();
  private AxonServerConnectionFactory factory;
  private AxonServerConnection connection;

  @BeforeEach
  void connect() {
    ServerAddress[] servers =
        Arrays.stream(cluster.servers().split(","))
            .map(address -> address.split(":"))
            .map(parts -> new ServerAddress(parts[0], Integer.parseInt(parts[1])))
            .toArray(ServerAddress[]::new);
    factory =
        AxonServerConnectionFactory.forClient("bank", "bank-1")
            .routingServers(servers)
            .reconnectInterval(100, TimeUnit.MILLISECONDS)
            .build();
    connection = factory.connect("default");
    // A frozen node keeps its connections open: without heartbeats an app that is connected to it waits until the node goes on.
    connection.controlChannel().enableHeartbeat(500, 1000, TimeUnit.MILLISECONDS);
  }

  @AfterEach
  void disconnect() {
    factory.shutdown();
  }

  @Test
  void noDepositIsLostWhenTheLeaderIsKilled() throws Exception {
    deposit(0);
    cluster.kill("leader:default");
    deposit(1);
    cluster.kill("leader:default");
    cluster.muster("start", "all");
    deposit(2);
    assertEquals(3, deposits());
  }

  @Test
  void depositsGoOnWhileTheNodeOfTheAppIsFrozen() throws Exception {
    cluster.freeze(cluster.nodeOf("bank-1"));
    deposit(0);
    assertEquals(1, deposits());
  }

  /** Appends one event and repeats that until it is confirmed, as an app would: what became of the first try may be unknown. */
  private void deposit(long number) throws Exception {
    Event event =
        Event.newBuilder()
            .setMessageIdentifier(UUID.randomUUID().toString())
            .setTimestamp(System.currentTimeMillis())
            .setAggregateIdentifier(account)
            .setAggregateType("Account")
            .setAggregateSequenceNumber(number)
            .setPayload(SerializedObject.newBuilder().setType("Deposited").setData(ByteString.copyFromUtf8("10")))
            .build();
    Instant latest = Instant.now().plus(UNTIL_ANSWERED_MAX);
    while (true) {
      try {
        assertTrue(connection.eventChannel().appendEvents(event).get(5, TimeUnit.SECONDS).getSuccess());
        return;
      } catch (Exception problem) {
        if (isStored(number)) return;
        if (Instant.now().isAfter(latest)) throw problem;
        Thread.sleep(50);
      }
    }
  }

  private boolean isStored(long number) {
    try {
      return deposits() > number;
    } catch (Exception unknown) {
      return false;
    }
  }

  private long deposits() throws Exception {
    return connection.eventChannel().openAggregateStream(account).asStream().count();
  }
}
