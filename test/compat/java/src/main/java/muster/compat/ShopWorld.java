package muster.compat;

import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Supplier;
import org.axonframework.eventhandling.EventMessage;
import org.axonframework.eventhandling.ReplayStatus;
import org.axonframework.modelling.saga.repository.inmemory.InMemorySagaStore;

/** What the instances of the shop share, as they would share a database; and what a test wants to know of them. */
final class ShopWorld {
  private static final String TOKENS = "jdbc:h2:mem:tokens;DB_CLOSE_DELAY=-1";
  private static final int REPLY_SECONDS = 20;
  private static final int INSIST_SECONDS = 90;
  private static final int PAUSE_MS = 50;

  final InMemorySagaStore sagas = new InMemorySagaStore();
  final Map<String, String> statuses = new ConcurrentHashMap<>();
  final Map<String, Integer> prices = new ConcurrentHashMap<>();
  final Set<String> confirmedReminders = ConcurrentHashMap.newKeySet();
  final Seen pooled = new Seen();
  final Seen tracked = new Seen();
  /** How often each event came from the persistent stream. */
  final Map<String, AtomicInteger> streamed = new ConcurrentHashMap<>();
  final Set<String> streamedBy = ConcurrentHashMap.newKeySet();
  final AtomicInteger retries = new AtomicInteger();
  final Map<String, Long> latestInitialSequence = new ConcurrentHashMap<>();
  final ConcurrentLinkedQueue<String> urgent = new ConcurrentLinkedQueue<>();
  /** Holds the handler of urgent commands until all of a round are waiting for it. */
  volatile CountDownLatch gate = new CountDownLatch(1);

  /** Events that came to a processor since its last replay began, how many of them as a replay, and the instances that handled any. */
  static final class Seen {
    final Set<String> events = ConcurrentHashMap.newKeySet();
    final AtomicInteger replayed = new AtomicInteger();
    final Set<String> by = ConcurrentHashMap.newKeySet();

    void add(String instance, EventMessage<?> message, ReplayStatus replay) {
      events.add(message.getIdentifier());
      by.add(instance);
      if (replay.isReplay()) {
        replayed.incrementAndGet();
      }
    }
  }

  Connection tokens() throws SQLException {
    return DriverManager.getConnection(TOKENS);
  }

  <T> T insist(Supplier<CompletableFuture<T>> call) {
    return insistOn(() -> call.get().get(REPLY_SECONDS, TimeUnit.SECONDS));
  }

  /** Tries again after every failure: the handlers do nothing twice. */
  <T> T insistOn(Callable<T> call) {
    long giveUpAt = System.nanoTime() + TimeUnit.SECONDS.toNanos(INSIST_SECONDS);
    while (true) {
      try {
        return call.call();
      } catch (Exception problem) {
        if (System.nanoTime() > giveUpAt) {
          throw new IllegalStateException("tried for " + INSIST_SECONDS + " s", problem);
        }
        retries.incrementAndGet();
        pause();
      }
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
