package muster.compat;

import com.google.protobuf.ByteString;
import io.axoniq.axonserver.connector.AxonServerConnection;
import io.axoniq.axonserver.connector.AxonServerConnectionFactory;
import io.axoniq.axonserver.connector.event.EventStream;
import io.axoniq.axonserver.connector.event.transformation.ActiveTransformation;
import io.axoniq.axonserver.connector.event.transformation.EventTransformation;
import io.axoniq.axonserver.connector.impl.ServerAddress;
import io.axoniq.axonserver.grpc.SerializedObject;
import io.axoniq.axonserver.grpc.event.Event;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/** The plain connector transforms what it stored. */
final class TransformationMain {
  private static final int WAIT_SECONDS = 30;
  private static final int EVENTS = 5;

  private TransformationMain() {}

  public static void main(String[] args) throws Exception {
    Map<String, Object> found = new LinkedHashMap<>();
    found.put("connector", LoadedConnector.version());
    String[] server = System.getProperty("as.servers").split(",")[1].split(":");
    AxonServerConnectionFactory factory =
        AxonServerConnectionFactory.forClient("transformer")
            .routingServers(new ServerAddress(server[0], Integer.parseInt(server[1])))
            .build();
    AxonServerConnection connection = factory.connect("default");
    long first = connection.eventChannel().getLastToken().get(WAIT_SECONDS, TimeUnit.SECONDS) + 1;
    for (int i = 0; i < EVENTS; i++) {
      connection.eventChannel().appendEvents(event("old " + i)).get(WAIT_SECONDS, TimeUnit.SECONDS);
    }
    connection
        .eventTransformationChannel()
        .newTransformation("forget")
        .thenCompose(
            active ->
                active.transform(
                    appender -> {
                      appender.deleteEvent(first + 1);
                      appender.replaceEvent(first + 3, event("new 3"));
                    }))
        .thenCompose(ActiveTransformation::startApplying)
        .get(WAIT_SECONDS, TimeUnit.SECONDS);
    List<String> shown = new ArrayList<>();
    EventStream stream = connection.eventChannel().openStream(first - 1, 100);
    for (int i = 0; i < EVENTS; i++) {
      SerializedObject payload = stream.nextIfAvailable(WAIT_SECONDS, TimeUnit.SECONDS).getEvent().getPayload();
      shown.add(payload.getType() + ":" + payload.getData().toStringUtf8());
    }
    stream.close();
    found.put("shown", String.join(",", shown));
    for (EventTransformation each :
        connection.eventTransformationChannel().transformations().get(WAIT_SECONDS, TimeUnit.SECONDS)) {
      found.put("state", each.state().name());
      found.put("lastSequence", each.lastSequence());
    }
    factory.shutdown();
    System.out.println(Recorder.json(found));
    System.exit(0);
  }

  private static Event event(String text) {
    SerializedObject payload =
        SerializedObject.newBuilder().setType("T").setData(ByteString.copyFromUtf8(text)).build();
    return Event.newBuilder().setMessageIdentifier(text).setTimestamp(1).setPayload(payload).build();
  }
}
