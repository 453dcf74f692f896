package muster.compat;

import com.google.protobuf.ByteString;
import io.axoniq.axonserver.connector.AxonServerConnection;
import io.axoniq.axonserver.connector.event.EventStream;
import io.axoniq.axonserver.grpc.SerializedObject;
import io.axoniq.axonserver.grpc.event.Event;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import muster.compat.ShopMessages.AddNote;
import muster.compat.ShopMessages.CountQuery;
import muster.compat.ShopMessages.OfferQuery;
import muster.compat.ShopMessages.PlaceOrder;
import muster.compat.ShopMessages.ReminderDue;
import muster.compat.ShopMessages.Urgent;
import muster.compat.ShopMessages.WhoHandles;
import org.axonframework.commandhandling.gateway.CommandGateway;
import org.axonframework.eventhandling.scheduling.EventScheduler;
import org.axonframework.eventhandling.scheduling.ScheduleToken;
import org.axonframework.messaging.responsetypes.ResponseTypes;
import org.axonframework.queryhandling.QueryGateway;
import reactor.core.publisher.Flux;

/** Uses once what a load of orders does not use, through the first instance. */
final class ShopFeatures {
  private static final int WAIT_SECONDS = 20;
  private static final int KEYS = 40;
  private static final int INSTANCES = 2;
  private static final int ROUNDS = 3;
  /** Kinds of application that answer with an offer. */
  private static final int COMPONENTS = 2;
  private static final int LOW = 12;
  private static final int HIGH = 4;
  private static final int NOTES = 6;

  private final ShopWorld world;
  private final ShopInstance instance;
  private final CommandGateway commands;
  private final QueryGateway queries;

  ShopFeatures(ShopWorld world, ShopInstance instance) {
    this.world = world;
    this.instance = instance;
    commands = instance.configuration.commandGateway();
    queries = instance.configuration.queryGateway();
  }

  Map<String, Object> run() throws Exception {
    Map<String, Object> found = new LinkedHashMap<>();
    found.put("lowBeforeHigh", priorities("all"));
    routing(found);
    found.put("offers", offers());
    found.put("counted", Flux.from(queries.streamingQuery(new CountQuery(500), Integer.class)).reduce(0, Integer::sum).block(Duration.ofSeconds(WAIT_SECONDS)));
    upcasting(found, "old-1");
    List<Event> stored = instance.connection().eventChannel().openAggregateStream("old-1").asStream().toList();
    found.put("stored", stored.stream().map((each) -> each.getPayload().getRevision() + " " + each.getPayload().getData().toStringUtf8()).toList().get(0));
    snapshots(found);
    scheduling(found);
    return found;
  }

  /** What goes on while a node is lost: each is tried until every part of it was answered, and then its promise holds. */
  Map<String, Object> duringFault(String fault) {
    Map<String, Object> found = new LinkedHashMap<>();
    found.put("offers", world.insistOn(this::allOffers));
    found.put("lowBeforeHigh", world.insistOn(() -> priorities(fault + System.nanoTime())));
    world.insistOn(() -> {
      upcasting(found, "old-" + fault + System.nanoTime());
      return null;
    });
    return found;
  }

  private boolean bothHandle() {
    Map<String, Set<String>> handledBy = new LinkedHashMap<>();
    try {
      askWho(handledBy);
    } catch (Exception notYet) {
      return false;
    }
    return handledBy.values().stream().flatMap(Set::stream).distinct().count() == INSTANCES;
  }

  /** Adds who handled a command with each key. */
  private void askWho(Map<String, Set<String>> handledBy) throws Exception {
    for (int i = 0; i < KEYS; i++) {
      String by = commands.<String>send(new WhoHandles("key-" + i)).get(WAIT_SECONDS, TimeUnit.SECONDS);
      handledBy.computeIfAbsent("key-" + i, (key) -> new HashSet<>()).add(by);
    }
  }

  private List<String> offers() {
    return queries.scatterGather(new OfferQuery("tea"), ResponseTypes.instanceOf(String.class), WAIT_SECONDS, TimeUnit.SECONDS).sorted().toList();
  }

  private List<String> allOffers() {
    List<String> offers = offers();
    if (offers.size() < COMPONENTS) {
      throw new IllegalStateException("only " + offers);
    }
    return offers;
  }

  /** How many commands were handled before more urgent ones that came after them: at most the one that waited for the gate. */
  private long priorities(String round) throws Exception {
    CountDownLatch gate = new CountDownLatch(1);
    world.gate = gate;
    try {
      List<CompletableFuture<?>> answers = new ArrayList<>();
      for (int i = 0; i < LOW; i++) {
        answers.add(commands.send(new Urgent(round + " low-" + i, 0)));
      }
      for (int i = 0; i < HIGH; i++) {
        answers.add(commands.send(new Urgent(round + " high-" + i, 10)));
      }
      // Through the same connections, and answered: what was sent before has arrived.
      allOffers();
      gate.countDown();
      CompletableFuture.allOf(answers.toArray(CompletableFuture[]::new)).get(WAIT_SECONDS, TimeUnit.SECONDS);
    } finally {
      gate.countDown();
    }
    List<String> order = world.urgent.stream().filter((name) -> name.startsWith(round)).toList();
    long last = IntStream.range(0, order.size()).filter((i) -> order.get(i).startsWith(round + " high")).max().orElseThrow();
    return last + 1 - HIGH;
  }

  /** Once the node knows the handlers of both instances: the arrival of one moves keys, as it should. */
  private void routing(Map<String, Object> found) throws Exception {
    Application.await("both instances to handle commands", WAIT_SECONDS, this::bothHandle);
    Map<String, Set<String>> handledBy = new LinkedHashMap<>();
    for (int round = 0; round < ROUNDS; round++) {
      askWho(handledBy);
    }
    found.put("routedToOne", handledBy.values().stream().allMatch((names) -> names.size() == 1));
    found.put("routedTo", handledBy.values().stream().flatMap(Set::stream).distinct().sorted().toList());
  }

  private void upcasting(Map<String, Object> found, String order) throws Exception {
    append(event(order, 0, OrderPlacedUpcaster.TYPE, "", "{\"orderId\":\"" + order + "\",\"euros\":12}"));
    found.put("upcastForAggregate", commands.<List<Integer>>send(new AddNote(order)).get(WAIT_SECONDS, TimeUnit.SECONDS).get(0));
    Application.await("the upcast event", WAIT_SECONDS, () -> world.prices.containsKey(order));
    found.put("upcastForProcessor", world.prices.get(order));
  }

  /** A snapshot of a revision that the aggregate no longer has is passed over for the one before it. */
  private void snapshots(Map<String, Object> found) throws Exception {
    commands.send(new PlaceOrder("snap-1", 5)).get(WAIT_SECONDS, TimeUnit.SECONDS);
    for (int i = 0; i < NOTES; i++) {
      commands.send(new AddNote("snap-1")).get(WAIT_SECONDS, TimeUnit.SECONDS);
    }
    Application.await("a snapshot", WAIT_SECONDS, () -> snapshotOf("snap-1") >= 0);
    long good = snapshotOf("snap-1");
    instance.connection().eventChannel()
        .appendSnapshot(event("snap-1", good + 1, Order.class.getName(), "1", "{\"noneOf\":\"these\"}"))
        .get(WAIT_SECONDS, TimeUnit.SECONDS);
    found.put("notes", commands.<List<Integer>>send(new AddNote("snap-1")).get(WAIT_SECONDS, TimeUnit.SECONDS).get(1));
    found.put("loadedBehind", world.latestInitialSequence.get("snap-1") - good);
  }

  private long snapshotOf(String aggregate) {
    try {
      return instance.connection().eventChannel().loadSnapshots(aggregate, 0, Long.MAX_VALUE, 1).asStream()
          .mapToLong(Event::getAggregateSequenceNumber).findAny().orElse(-1);
    } catch (Exception notYet) {
      return -1;
    }
  }

  /** One cancelled, one in another's place, one at its time. */
  private void scheduling(Map<String, Object> found) throws Exception {
    long head = instance.connection().eventChannel().getLastToken().get(WAIT_SECONDS, TimeUnit.SECONDS);
    EventScheduler scheduler = instance.configuration.getComponent(EventScheduler.class);
    scheduler.cancelSchedule(scheduler.schedule(Duration.ofMillis(400), new ReminderDue("none", "cancelled")));
    ScheduleToken token = scheduler.schedule(Duration.ofHours(1), new ReminderDue("none", "replaced"));
    scheduler.reschedule(token, Duration.ofMillis(200), new ReminderDue("none", "replacement"));
    scheduler.schedule(Duration.ofMillis(600), new ReminderDue("none", "last"));
    List<String> fired = new ArrayList<>();
    try (EventStream stream = instance.connection().eventChannel().openStream(head, 100)) {
      while (fired.stream().noneMatch("last"::equals)) {
        Event event = stream.nextIfAvailable(WAIT_SECONDS, TimeUnit.SECONDS).getEvent();
        if (event.getPayload().getData().toStringUtf8().contains("\"none\"")) {
          fired.add(event.getPayload().getData().toStringUtf8().replaceAll(".*\"attempt\":\"(\\w+)\".*", "$1"));
        }
      }
    }
    found.put("fired", fired);
  }

  private void append(Event event) throws Exception {
    AxonServerConnection connection = instance.connection();
    connection.eventChannel().appendEvents(event).get(WAIT_SECONDS, TimeUnit.SECONDS);
  }

  private static Event event(String aggregate, long sequence, String type, String revision, String json) {
    return Event.newBuilder()
        .setMessageIdentifier(aggregate + "-" + sequence)
        .setAggregateIdentifier(aggregate)
        .setAggregateType("Order")
        .setAggregateSequenceNumber(sequence)
        .setTimestamp(System.currentTimeMillis())
        .setPayload(SerializedObject.newBuilder().setType(type).setRevision(revision).setData(ByteString.copyFromUtf8(json)))
        .build();
  }
}
