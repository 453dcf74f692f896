package muster.compat;

import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import muster.compat.Messages.BalanceQuery;
import muster.compat.Messages.Deposit;
import muster.compat.Messages.OpenAccount;
import org.axonframework.messaging.responsetypes.ResponseTypes;
import org.axonframework.queryhandling.SubscriptionQueryResult;

/** Uses each feature once and prints what came back, as one JSON object on the last line. */
final class SampleMain {
  private static final int WAIT_SECONDS = 20;
  private static final int DEPOSITS = 7;

  private SampleMain() {}

  public static void main(String[] args) throws Exception {
    Map<String, Object> found = new LinkedHashMap<>();
    try (Application application = new Application("sample", Application.AuditKind.POOLED)) {
      long startedAt = System.nanoTime();
      application.awaitReady(WAIT_SECONDS);
      found.put("readyMs", TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - startedAt));
      run(application, found);
    } catch (Throwable problem) {
      problem.printStackTrace();
      found.put("problem", problem.toString());
    }
    System.out.println(Recorder.json(found));
    System.exit(found.containsKey("problem") ? 1 : 0);
  }

  private static void run(Application application, Map<String, Object> found) throws Exception {
    String account = "account-" + UUID.randomUUID();
    found.put("opened", send(application, new OpenAccount(account)));
    found.put("updates", depositAndWatch(application, account));
    found.put("balance", application.configuration.queryGateway().query(new BalanceQuery(account), Integer.class).get(WAIT_SECONDS, TimeUnit.SECONDS));
    found.put("failure", messageOf(application, new Deposit(account, "negative", -1)));
    found.put("conflict", messageOf(application, new OpenAccount(account)));
    awaitSnapshot(application, account);
    found.put("sequenceAfterSnapshot", send(application, new Deposit(account, "after-snapshot", 1)));
    found.put("initialSequence", application.latestInitialSequence.get(account));
    application.awaitProcessors(WAIT_SECONDS);
    found.put("trackedEvents", application.balances.events.get());
    found.put("pooledEvents", application.audit.events.get());
  }

  /** Watches one account by a subscription query while depositing 1, 2, 3 …; answers the initial result and the updates. */
  private static List<Integer> depositAndWatch(Application application, String account) throws Exception {
    List<Integer> results = new ArrayList<>();
    BlockingQueue<Integer> updates = new LinkedBlockingQueue<>();
    SubscriptionQueryResult<Integer, Integer> subscription =
        application.configuration.queryGateway().subscriptionQuery(
            new BalanceQuery(account), ResponseTypes.instanceOf(Integer.class), ResponseTypes.instanceOf(Integer.class));
    try {
      results.add(subscription.initialResult().block(Duration.ofSeconds(WAIT_SECONDS)));
      subscription.updates().subscribe(updates::add);
      for (int amount = 1; amount <= DEPOSITS; amount++) {
        send(application, new Deposit(account, "deposit-" + amount, amount));
      }
      for (int i = 0; i < DEPOSITS; i++) {
        results.add(updates.poll(WAIT_SECONDS, TimeUnit.SECONDS));
      }
    } finally {
      subscription.close();
    }
    return results;
  }

  private static void awaitSnapshot(Application application, String account) throws Exception {
    Application.await("a snapshot of " + account, WAIT_SECONDS, () -> {
      try {
        return application.connection().eventChannel().loadSnapshots(account, 0, Long.MAX_VALUE, 1).asStream().findAny().isPresent();
      } catch (Exception e) {
        return false;
      }
    });
  }

  private static Object send(Application application, Object command) {
    return application.configuration.commandGateway().sendAndWait(command, WAIT_SECONDS, TimeUnit.SECONDS);
  }

  private static String messageOf(Application application, Object command) {
    try {
      return "unexpected success: " + send(application, command);
    } catch (RuntimeException e) {
      return e.getClass().getSimpleName() + ": " + e.getMessage();
    }
  }
}
