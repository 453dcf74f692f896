package muster.compat;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import muster.compat.ShopMessages.PlaceOrder;
import muster.compat.ShopMessages.StatusQuery;
import org.axonframework.messaging.responsetypes.ResponseTypes;
import org.axonframework.queryhandling.SubscriptionQueryResult;

/** Workers on every instance that place orders and watch each, by a subscription query if they can, until it is shipped. */
final class ShopLoad {
  private static final int WORKERS_EACH = 2;
  private static final int WATCH_SECONDS = 10;
  private static final int INITIAL_SECONDS = 20;
  private static final int PAUSE_MS = 50;
  /** Without it orders are asked for again and again: a newer connector does not tell handlers the type of the updates wanted. */
  private static final boolean UPDATES = !"false".equals(System.getProperty("updates"));

  final Set<String> placed = ConcurrentHashMap.newKeySet();
  final AtomicInteger shipped = new AtomicInteger();
  /** Subscription queries that ended without the word awaited. */
  final AtomicInteger watchedAgain = new AtomicInteger();
  private final ShopWorld world;
  private final List<Thread> threads = new ArrayList<>();
  private volatile boolean stopped;

  ShopLoad(ShopWorld world, List<ShopInstance> instances) {
    this.world = world;
    for (ShopInstance instance : instances) {
      for (int i = 0; i < WORKERS_EACH; i++) {
        Thread thread = new Thread(() -> work(instance));
        thread.setDaemon(true);
        thread.start();
        threads.add(thread);
      }
    }
  }

  void stop(int seconds) throws InterruptedException {
    stopped = true;
    for (Thread thread : threads) {
      thread.join(TimeUnit.SECONDS.toMillis(seconds));
      if (thread.isAlive()) {
        throw new IllegalStateException("an order was not shipped in " + seconds + " s");
      }
    }
  }

  private void work(ShopInstance instance) {
    while (!stopped) {
      String orderId = UUID.randomUUID().toString();
      world.insist(() -> instance.configuration.commandGateway().send(new PlaceOrder(orderId, 100)));
      placed.add(orderId);
      while (!watch(instance, orderId)) {
        watchedAgain.incrementAndGet();
        pause();
      }
      shipped.incrementAndGet();
    }
  }

  /** False when the query broke off or brought nothing for long, as it may when a node is lost. */
  private static boolean watch(ShopInstance instance, String orderId) {
    return UPDATES ? watchUpdates(instance, orderId) : isShipped(instance, orderId);
  }

  private static boolean isShipped(ShopInstance instance, String orderId) {
    try {
      return "shipped".equals(
          instance.configuration.queryGateway().query(new StatusQuery(orderId), String.class).get(INITIAL_SECONDS, TimeUnit.SECONDS));
    } catch (Exception broken) {
      return false;
    }
  }

  private static boolean watchUpdates(ShopInstance instance, String orderId) {
    try (SubscriptionQueryResult<String, String> status =
        instance.configuration.queryGateway().subscriptionQuery(
            new StatusQuery(orderId), ResponseTypes.instanceOf(String.class), ResponseTypes.instanceOf(String.class))) {
      if ("shipped".equals(status.initialResult().block(Duration.ofSeconds(INITIAL_SECONDS)))) {
        return true;
      }
      return "shipped".equals(status.updates().blockFirst(Duration.ofSeconds(WATCH_SECONDS)));
    } catch (RuntimeException broken) {
      return false;
    }
  }

  private static void pause() {
    try {
      Thread.sleep(PAUSE_MS);
    } catch (InterruptedException problem) {
      throw new IllegalStateException(problem);
    }
  }
}
