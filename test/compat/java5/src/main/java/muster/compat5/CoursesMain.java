package muster.compat5;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import muster.compat5.Courses.OpenCourse;
import muster.compat5.Courses.StudentSubscribed;
import muster.compat5.Courses.Subscribe;
import muster.compat5.Courses.SubscribersQuery;
import muster.compat5.Courses.SubscriptionId;
import org.axonframework.axonserver.connector.AxonServerConfiguration;
import org.axonframework.common.configuration.AxonConfiguration;
import org.axonframework.eventsourcing.configuration.EventSourcedEntityModule;
import org.axonframework.eventsourcing.configuration.EventSourcingConfigurer;
import org.axonframework.messaging.commandhandling.configuration.CommandHandlingModule;
import org.axonframework.messaging.commandhandling.gateway.CommandGateway;
import org.axonframework.messaging.eventhandling.annotation.EventHandler;
import org.axonframework.messaging.queryhandling.annotation.QueryHandler;
import org.axonframework.messaging.queryhandling.configuration.QueryHandlingModule;
import org.axonframework.messaging.queryhandling.gateway.QueryGateway;

/**
 * Opens one course per name given, lets many students subscribe at once, and prints what came back as one JSON object on the last line.
 * Properties: as.servers, courses, capacity, students, prefix; with the property
 * "tolerant" other failures than refusals are tried again.
 */
final class CoursesMain {
  private static final int WAIT_SECONDS = 30;
  private static final int THREADS = 8;
  private static final int TRIES_MAX = 600;
  private static final int RETRY_MS = 50;

  private final Map<String, Integer> accepted = new LinkedHashMap<>();
  private final AtomicInteger rejected = new AtomicInteger();
  private final AtomicInteger full = new AtomicInteger();
  private final AtomicInteger enough = new AtomicInteger();
  private final AtomicInteger retried = new AtomicInteger();

  /** Follows the stream of events. */
  static class Projection {
    final ConcurrentLinkedQueue<String> seen = new ConcurrentLinkedQueue<>();

    @EventHandler
    void on(StudentSubscribed event) {
      seen.add(event.courseId() + " " + event.studentId());
    }

    @QueryHandler
    Integer handle(SubscribersQuery query) {
      return (int) seen.stream().filter((line) -> line.startsWith(query.courseId() + " ")).count();
    }
  }

  public static void main(String[] args) {
    Map<String, Object> found = new LinkedHashMap<>();
    try {
      new CoursesMain().run(found);
    } catch (Throwable problem) {
      problem.printStackTrace();
      found.put("problem", String.valueOf(problem));
    }
    System.out.println(json(found));
    System.exit(found.containsKey("problem") ? 1 : 0);
  }

  private static AxonConfiguration configuration(Projection projection) {
    AxonServerConfiguration server = new AxonServerConfiguration();
    server.setServers(System.getProperty("as.servers"));
    server.setComponentName("courses");
    return EventSourcingConfigurer.create()
        .componentRegistry((registry) -> registry.registerComponent(AxonServerConfiguration.class, (config) -> server))
        .registerEntity(EventSourcedEntityModule.autodetected(String.class, Courses.Course.class))
        .registerEntity(EventSourcedEntityModule.autodetected(SubscriptionId.class, Courses.Subscription.class))
        .registerCommandHandlingModule(
            CommandHandlingModule.named("courses")
                .commandHandlers()
                .annotatedCommandHandlingComponent((config) -> new Courses.Handler()))
        .registerQueryHandlingModule(
            QueryHandlingModule.named("subscribers")
                .queryHandlers()
                .annotatedQueryHandlingComponent((config) -> projection))
        .messaging((messaging) -> messaging.eventProcessing((processing) -> processing.pooledStreaming(
            (pooled) -> pooled.processor(
                "projection",
                (components) -> components
                    .eventHandlingComponents((handlers) -> handlers.autodetected((config) -> projection))
                    .notCustomized()))))
        .build();
  }

  private void run(Map<String, Object> found) throws Exception {
    Projection projection = new Projection();
    AxonConfiguration configuration = configuration(projection);
    configuration.start();
    try {
      CommandGateway commands = configuration.getComponent(CommandGateway.class);
      int courses = Integer.getInteger("courses");
      int capacity = Integer.getInteger("capacity");
      int students = Integer.getInteger("students");
      String prefix = System.getProperty("prefix");
      List<String> names = new ArrayList<>();
      for (int i = 0; i < courses; i++) {
        names.add(prefix + "-" + i);
        commands.sendAndWait(new OpenCourse(prefix + "-" + i, capacity));
      }
      found.put("conflict", failureOf(commands, new OpenCourse(names.get(0), capacity)));
      subscribeAll(commands, names, prefix, students);
      found.put("accepted", accepted.values().stream().mapToInt(Integer::intValue).sum());
      found.put("rejected", rejected.get());
      found.put("full", full.get());
      found.put("enough", enough.get());
      found.put("retried", retried.get());
      int expected = (int) found.get("accepted");
      await("the projection", () -> projection.seen.stream().filter((line) -> line.startsWith(prefix)).count() >= expected);
      found.put("projected", (int) projection.seen.stream().filter((line) -> line.startsWith(prefix)).count());
      found.put("projectedOnce", projection.seen.size() == projection.seen.stream().distinct().count());
      int queried = 0;
      for (String name : names) {
        int count = configuration.getComponent(QueryGateway.class).query(new SubscribersQuery(name), Integer.class).get(WAIT_SECONDS, TimeUnit.SECONDS);
        found.put("most", Math.max(count, (int) found.getOrDefault("most", 0)));
        queried += count;
      }
      found.put("queried", queried);
    } finally {
      configuration.shutdown();
    }
  }

  /** Every student asks for every course, all at once. */
  private void subscribeAll(CommandGateway commands, List<String> names, String prefix, int students) throws Exception {
    ExecutorService pool = Executors.newFixedThreadPool(THREADS);
    List<Future<?>> work = new ArrayList<>();
    for (int student = 0; student < students; student++) {
      for (String name : names) {
        Subscribe command = new Subscribe(name, prefix + "-s" + student);
        work.add(pool.submit(() -> subscribe(commands, command)));
      }
    }
    for (Future<?> one : work) {
      one.get(WAIT_SECONDS * 4L, TimeUnit.SECONDS);
    }
    pool.shutdown();
  }

  private void subscribe(CommandGateway commands, Subscribe command) {
    for (int attempt = 0; attempt < TRIES_MAX; attempt++) {
      String failure = failureOf(commands, command);
      if (failure == null) {
        synchronized (accepted) {
          accepted.merge(command.courseId(), 1, Integer::sum);
        }
        return;
      }
      if (failure.contains("course is full")) {
        full.incrementAndGet();
        return;
      }
      if (failure.contains("student has enough courses")) {
        enough.incrementAndGet();
        return;
      }
      if (failure.contains("Consistency condition is not met")) {
        rejected.incrementAndGet();
      } else if (Boolean.getBoolean("tolerant")) {
        retried.incrementAndGet();
        pause();
      } else {
        throw new IllegalStateException("unexpected: " + failure);
      }
    }
    throw new IllegalStateException("never decided: " + command);
  }

  private static void pause() {
    try {
      Thread.sleep(RETRY_MS);
    } catch (InterruptedException problem) {
      throw new IllegalStateException(problem);
    }
  }

  /** Null when the command succeeded; else the messages of all causes. */
  private static String failureOf(CommandGateway commands, Object command) {
    try {
      commands.sendAndWait(command);
      return null;
    } catch (RuntimeException problem) {
      StringBuilder text = new StringBuilder();
      for (Throwable cause = problem; cause != null; cause = cause.getCause()) {
        text.append(cause).append(" | ");
      }
      return text.toString();
    }
  }

  private interface Condition {
    boolean holds();
  }

  private static void await(String what, Condition condition) throws InterruptedException {
    long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(WAIT_SECONDS);
    while (!condition.holds()) {
      if (System.nanoTime() > end) {
        throw new IllegalStateException("timed out waiting for " + what);
      }
      Thread.sleep(10);
    }
  }

  private static String json(Map<String, Object> values) {
    StringBuilder text = new StringBuilder("{");
    values.forEach((key, value) -> {
      text.append(text.length() > 1 ? "," : "").append('"').append(key).append("\":");
      if (value instanceof String string) {
        text.append('"').append(string.replaceAll("[\"\\\\\\p{Cntrl}]", " ")).append('"');
      } else {
        text.append(value);
      }
    });
    return text.append('}').toString();
  }
}
