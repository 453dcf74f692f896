package muster.compat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.axoniq.axonserver.connector.event.EventChannel;
import io.axoniq.axonserver.connector.event.EventStream;
import io.axoniq.axonserver.grpc.event.EventWithToken;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.TimeUnit;

/** Compares what is stored with what the application did and saw. */
final class ShopCheck {
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final int WAIT_SECONDS = 90;

  private final ShopWorld world;
  private final List<String> identifiers = new ArrayList<>();
  /** `OrderPlaced <order>` and the like: how often. */
  private final Map<String, Integer> steps = new HashMap<>();
  private final Map<String, Integer> reminders = new HashMap<>();

  private ShopCheck(ShopWorld world) {
    this.world = world;
  }

  static Map<String, Object> run(ShopWorld world, EventChannel events, Set<String> placed, boolean withPooled) throws Exception {
    ShopCheck check = new ShopCheck(world);
    check.read(events);
    if (withPooled) {
      Application.await("the pooled processor", WAIT_SECONDS, () -> world.pooled.events.containsAll(check.identifiers));
    }
    Application.await("the tracking processor", WAIT_SECONDS, () -> world.tracked.events.containsAll(check.identifiers));
    Application.await("the persistent stream", WAIT_SECONDS, () -> world.streamed.keySet().containsAll(check.identifiers));
    Application.await("all sagas to end", WAIT_SECONDS, () -> world.sagas.size() == 0);
    Map<String, Object> found = new LinkedHashMap<>();
    for (String step : List.of("OrderPlaced", "PaymentDone", "OrderShipped")) {
      found.put("not once " + step, placed.stream().filter((order) -> check.steps.getOrDefault(step + " " + order, 0) != 1).count());
    }
    found.put("remindersLost", world.confirmedReminders.stream().filter((each) -> !check.reminders.containsKey(each)).count());
    found.put("remindersTwice", check.reminders.values().stream().filter((n) -> n > 1).count());
    found.put("streamedTwice", world.streamed.values().stream().filter((n) -> n.get() > 1).count());
    return found;
  }

  private void read(EventChannel events) throws Exception {
    long head = world.insistOn(() -> events.getLastToken().get(WAIT_SECONDS, TimeUnit.SECONDS));
    try (EventStream stream = events.openStream(-1, 1000)) {
      EventWithToken item;
      do {
        item = stream.nextIfAvailable(WAIT_SECONDS, TimeUnit.SECONDS);
        identifiers.add(item.getEvent().getMessageIdentifier());
        String type = item.getEvent().getPayload().getType().replaceAll(".*\\$", "");
        JsonNode payload = JSON.readTree(item.getEvent().getPayload().getData().toByteArray());
        if (payload.has("attempt")) {
          reminders.merge(payload.get("attempt").asText(), 1, Integer::sum);
        }
        steps.merge(type + " " + payload.get("orderId").asText(), 1, Integer::sum);
      } while (item.getToken() < head);
    }
  }
}
