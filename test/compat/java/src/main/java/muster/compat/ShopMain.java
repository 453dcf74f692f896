package muster.compat;

import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import org.axonframework.eventhandling.StreamingEventProcessor;
import org.axonframework.eventhandling.tokenstore.jdbc.GenericTokenTableFactory;
import org.axonframework.eventhandling.tokenstore.jdbc.JdbcTokenStore;

/**
 * Two instances of the shop and one of billing in one process. Every line of standard input is a request (features, duringFault NAME,
 * load, more N, replay pooled|tracked, settle [afterFault]), answered by one line of JSON; the process ends with its input.
 */
final class ShopMain {
  private static final int WAIT_SECONDS = 55;

  private final ShopWorld world = new ShopWorld();
  private List<ShopInstance> shops;
  private ShopLoad load;

  private ShopMain() {}

  public static void main(String[] args) throws Exception {
    ShopMain main = new ShopMain();
    main.start();
    System.out.println(Recorder.json(Map.of("ready", true)));
    BufferedReader input = new BufferedReader(new InputStreamReader(System.in));
    for (String line = input.readLine(); line != null; line = input.readLine()) {
      Map<String, Object> answer;
      try {
        answer = main.answer(line.trim().split(" "));
      } catch (Exception | Error problem) {
        problem.printStackTrace();
        answer = Map.of("problem", problem.toString());
      }
      System.out.println(Recorder.json(answer));
    }
    System.exit(0);
  }

  private void start() throws Exception {
    ShopInstance billing = ready(ShopInstance.billing(world));
    JdbcTokenStore.builder()
        .connectionProvider(world::tokens)
        .serializer(billing.configuration.serializer())
        .build()
        .createSchema(GenericTokenTableFactory.INSTANCE);
    ShopInstance first = ready(ShopInstance.shop("shop-1", world));
    shops = List.of(first, ready(ShopInstance.shop("shop-2", world)));
  }

  /** One after the other, so that each gets a node of its own and none is moved later, which would change who handles a routing key. */
  private static ShopInstance ready(ShopInstance instance) throws Exception {
    Application.await("a connection that is ready", WAIT_SECONDS, () -> instance.connection().isReady());
    return instance;
  }

  private Map<String, Object> answer(String[] request) throws Exception {
    return switch (request[0]) {
      case "features" -> new ShopFeatures(world, shops.get(0)).run();
      case "duringFault" -> new ShopFeatures(world, shops.get(0)).duringFault(request[1]);
      case "load" -> {
        if (load != null) {
          load.stop(WAIT_SECONDS);
        }
        load = new ShopLoad(world, shops);
        yield Map.of();
      }
      case "more" -> more(Integer.parseInt(request[1]));
      case "replay" -> replay(request[1], request[1].equals(ShopInstance.POOLED) ? world.pooled : world.tracked);
      case "settle" -> settle(request.length == 1);
      default -> throw new IllegalArgumentException("unknown request " + request[0]);
    };
  }

  private Map<String, Object> more(int orders) throws Exception {
    int goal = load.shipped.get() + orders;
    Application.await(orders + " more orders", WAIT_SECONDS, () -> load.shipped.get() >= goal);
    return Map.of("shipped", load.shipped.get());
  }

  /** Stops a processor on both instances, puts its tokens back to the start, and starts it again. */
  private Map<String, Object> replay(String name, ShopWorld.Seen seen) throws Exception {
    List<StreamingEventProcessor> processors = shops.stream().map((shop) -> shop.processor(name)).toList();
    for (StreamingEventProcessor processor : processors) {
      processor.shutdownAsync().get(WAIT_SECONDS, TimeUnit.SECONDS);
    }
    Set<String> before = Set.copyOf(seen.events);
    seen.events.clear();
    seen.replayed.set(0);
    world.insistOn(() -> {
      processors.get(0).resetTokens();
      return null;
    });
    processors.forEach(StreamingEventProcessor::start);
    Application.await(before.size() + " events again", WAIT_SECONDS, () -> seen.events.containsAll(before));
    return Map.of("again", before.size(), "replayed", seen.replayed.get());
  }

  /** After a fault without the pooled processor: that of 4.12.2 may stand still then, until it is restarted (docs/compat.md). */
  private Map<String, Object> settle(boolean withPooled) throws Exception {
    load.stop(WAIT_SECONDS);
    Map<String, Object> found = new LinkedHashMap<>();
    found.put("placed", load.placed.size());
    found.putAll(ShopCheck.run(world, shops.get(1).connection().eventChannel(), load.placed, withPooled));
    found.put("watchedAgain", load.watchedAgain.get());
    found.put("retries", world.retries.get());
    found.put("pooledBy", world.pooled.by.stream().sorted().toList());
    found.put("streamedBy", world.streamedBy.stream().sorted().toList());
    return found;
  }
}
