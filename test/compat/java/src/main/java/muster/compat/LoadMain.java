package muster.compat;

import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import muster.compat.Messages.BalanceQuery;
import muster.compat.Messages.Deposit;

/**
 * Workers deposit into shared accounts until standard input says `stop` or the time is over. Writes acked.jsonl
 * {operation, account, sequence}, unknown.jsonl {operation, account, error} and seen.jsonl; prints {"acked": n} as it goes and a summary
 * as the last line. System properties: workers, accounts, seconds.
 */
final class LoadMain {
  private static final int WAIT_SECONDS = 30;
  /** Axon Framework opens a stream that failed again after 1, 2, 4 … 60 seconds. */
  private static final int PROCESSOR_WAIT_SECONDS = 100;
  private static final int REPLY_SECONDS = 20;
  private static final long PROGRESS_MS = 100;
  private static final long PAUSE_AFTER_FAILURE_MS = 50;

  private final Application application;
  private final Recorder acked = new Recorder(Application.outFile("acked.jsonl"));
  private final Recorder unknown = new Recorder(Application.outFile("unknown.jsonl"));
  private final AtomicLong ackedCount = new AtomicLong();
  private final AtomicLong unknownCount = new AtomicLong();
  private final AtomicLong retriedCount = new AtomicLong();
  private final AtomicLong queriesAnswered = new AtomicLong();
  private final AtomicLong queriesFailed = new AtomicLong();
  private final AtomicLong longestGapMs = new AtomicLong();
  private final AtomicLong lastAckAt = new AtomicLong(System.nanoTime());
  private final int accounts = Integer.getInteger("accounts", 20);
  private volatile boolean stopped;

  private LoadMain(Application application) {
    this.application = application;
  }

  public static void main(String[] args) throws Exception {
    Map<String, Object> summary = new LinkedHashMap<>();
    try (Application application = new Application("load", Application.AuditKind.TRACKING)) {
      application.awaitReady(WAIT_SECONDS);
      new LoadMain(application).run(summary);
    } catch (Throwable problem) {
      problem.printStackTrace();
      summary.put("problem", problem.toString());
    }
    System.out.println(Recorder.json(summary));
    System.exit(summary.containsKey("problem") ? 1 : 0);
  }

  private void run(Map<String, Object> summary) throws Exception {
    stopOnInput();
    long giveUpAt = System.nanoTime() + TimeUnit.SECONDS.toNanos(Integer.getInteger("seconds", 60));
    lastAckAt.set(System.nanoTime());
    List<Thread> threads = new ArrayList<>();
    for (int i = 0; i < Integer.getInteger("workers", 4); i++) {
      threads.add(start("worker-" + i, this::deposit));
    }
    threads.add(start("queries", this::query));
    while (!stopped && System.nanoTime() < giveUpAt) {
      System.out.println(Recorder.json(Map.of("acked", ackedCount.get())));
      Thread.sleep(PROGRESS_MS);
    }
    stopped = true;
    for (Thread thread : threads) {
      thread.join(TimeUnit.SECONDS.toMillis(2 * REPLY_SECONDS));
    }
    application.awaitReady(WAIT_SECONDS);
    application.awaitProcessors(PROCESSOR_WAIT_SECONDS);
    acked.close();
    unknown.close();
    summary.put("acked", ackedCount.get());
    summary.put("unknown", unknownCount.get());
    summary.put("retried", retriedCount.get());
    summary.put("queriesAnswered", queriesAnswered.get());
    summary.put("queriesFailed", queriesFailed.get());
    summary.put("longestGapMs", longestGapMs.get());
    summary.put("trackedEvents", application.balances.events.get());
    summary.put("pooledEvents", application.audit.events.get());
  }

  private static Thread start(String name, Runnable work) {
    Thread thread = new Thread(work, name);
    thread.setDaemon(true);
    thread.start();
    return thread;
  }

  private void stopOnInput() {
    start("input", () -> {
      try {
        String line = new BufferedReader(new InputStreamReader(System.in)).readLine();
        stopped = line == null || line.startsWith("stop");
      } catch (Exception e) {
        stopped = true;
      }
    });
  }

  /** One worker: an operation is sent again only when the server said for certain that nothing was stored. */
  private void deposit() {
    while (!stopped) {
      String account = "account-" + ThreadLocalRandom.current().nextInt(accounts);
      String operation = UUID.randomUUID().toString();
      while (!stopped) {
        try {
          Object sequence = application.configuration.commandGateway().send(new Deposit(account, operation, 1)).get(REPLY_SECONDS, TimeUnit.SECONDS);
          acked.write(Map.of("operation", operation, "account", account, "sequence", sequence));
          noteAck();
          break;
        } catch (Exception problem) {
          if (!isDefinite(problem)) {
            unknown.write(Map.of("operation", operation, "account", account, "error", String.valueOf(problem)));
            unknownCount.incrementAndGet();
            pause();
            break;
          }
          retriedCount.incrementAndGet();
          pause();
        }
      }
    }
  }

  private void noteAck() {
    long now = System.nanoTime();
    long gapMs = TimeUnit.NANOSECONDS.toMillis(now - lastAckAt.getAndSet(now));
    longestGapMs.accumulateAndGet(gapMs, Math::max);
    ackedCount.incrementAndGet();
  }

  private void query() {
    while (!stopped) {
      try {
        application.configuration.queryGateway().query(new BalanceQuery("account-0"), Integer.class).get(REPLY_SECONDS, TimeUnit.SECONDS);
        queriesAnswered.incrementAndGet();
      } catch (Exception e) {
        queriesFailed.incrementAndGet();
      }
      pause();
    }
  }

  /** Codes that say that no event was stored: conflict, no leader, no node, no handler. A lost connection or a time-out says nothing. */
  private static final List<String> DEFINITE = List.of("AXONIQ-2000", "AXONIQ-2100", "AXONIQ-1400", "AXONIQ-4000");

  private static boolean isDefinite(Throwable problem) {
    for (Throwable cause = problem; cause != null; cause = cause.getCause()) {
      String text = String.valueOf(cause.getMessage());
      if (DEFINITE.stream().anyMatch(text::contains)) {
        return true;
      }
    }
    return false;
  }

  private static void pause() {
    try {
      Thread.sleep(PAUSE_AFTER_FAILURE_MS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
