package muster.compat;

import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;
import muster.compat.Messages.AccountOpened;
import muster.compat.Messages.BalanceQuery;
import muster.compat.Messages.Deposited;
import org.axonframework.eventhandling.EventHandler;
import org.axonframework.eventhandling.EventMessage;
import org.axonframework.eventhandling.TrackingToken;
import org.axonframework.messaging.unitofwork.CurrentUnitOfWork;
import org.axonframework.queryhandling.QueryHandler;
import org.axonframework.queryhandling.QueryUpdateEmitter;

/** Event handlers of both processors. Each handler writes down every event that its processor hands it. */
final class Projection {
  private Projection() {}

  /** What a processor saw: the file line is {processor, segment, token, event}. */
  abstract static class Witness {
    private final String processor;
    private final Recorder seen;
    final AtomicLong highestToken = new AtomicLong(-1);
    final AtomicLong events = new AtomicLong();

    Witness(String processor, Recorder seen) {
      this.processor = processor;
      this.seen = seen;
    }

    void record(EventMessage<?> message, TrackingToken token) {
      Object segment = CurrentUnitOfWork.get().resources().get("Processor[" + processor + "]/SegmentId");
      long position = token.position().orElseThrow();
      seen.write(Map.of("processor", processor, "segment", segment == null ? -1 : segment, "token", position, "event", message.getIdentifier()));
      highestToken.accumulateAndGet(position, Math::max);
      events.incrementAndGet();
    }
  }

  /** The tracking processor: keeps balances, answers queries and emits updates. */
  static final class Balances extends Witness {
    private final Map<String, Integer> balances = new ConcurrentHashMap<>();
    private volatile QueryUpdateEmitter emitter;

    Balances(Recorder seen) {
      super("balances", seen);
    }

    void emitTo(QueryUpdateEmitter updates) {
      emitter = updates;
    }

    @EventHandler
    void on(AccountOpened event, EventMessage<AccountOpened> message, TrackingToken token) {
      record(message, token);
      balances.putIfAbsent(event.account(), 0);
    }

    @EventHandler
    void on(Deposited event, EventMessage<Deposited> message, TrackingToken token) {
      record(message, token);
      int balance = balances.merge(event.account(), event.amount(), Integer::sum);
      emitter.emit(BalanceQuery.class, query -> query.account().equals(event.account()), balance);
    }

    @QueryHandler
    Integer handle(BalanceQuery query) {
      return balances.getOrDefault(query.account(), 0);
    }
  }

  /** Several segments, so order holds within each segment. */
  static final class Audit extends Witness {
    Audit(Recorder seen) {
      super("audit", seen);
    }

    @EventHandler
    void on(AccountOpened event, EventMessage<AccountOpened> message, TrackingToken token) {
      record(message, token);
    }

    @EventHandler
    void on(Deposited event, EventMessage<Deposited> message, TrackingToken token) {
      record(message, token);
    }
  }
}
