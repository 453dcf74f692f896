package muster.compat;

import java.time.Duration;
import java.util.UUID;
import muster.compat.ShopMessages.OrderPlaced;
import muster.compat.ShopMessages.OrderShipped;
import muster.compat.ShopMessages.Pay;
import muster.compat.ShopMessages.PaymentDone;
import muster.compat.ShopMessages.ReminderDue;
import muster.compat.ShopMessages.ShipOrder;
import org.axonframework.commandhandling.gateway.CommandGateway;
import org.axonframework.config.ProcessingGroup;
import org.axonframework.deadline.DeadlineManager;
import org.axonframework.deadline.annotation.DeadlineHandler;
import org.axonframework.eventhandling.scheduling.EventScheduler;
import org.axonframework.modelling.saga.EndSaga;
import org.axonframework.modelling.saga.SagaEventHandler;
import org.axonframework.modelling.saga.SagaLifecycle;
import org.axonframework.modelling.saga.StartSaga;

/** Placed, paid (found by a second association), packed after a deadline, shipped after an event of the server's scheduler, ended. */
@ProcessingGroup("sagas")
public class OrderSaga {
  private static final Duration PACKING = Duration.ofMillis(20);
  private static final Duration REMINDER = Duration.ofMillis(50);

  private String orderId;

  public OrderSaga() {}

  @StartSaga
  @SagaEventHandler(associationProperty = "orderId")
  void on(OrderPlaced event, CommandGateway commands, ShopWorld world) {
    orderId = event.orderId();
    String paymentId = "payment-" + orderId;
    SagaLifecycle.associateWith("paymentId", paymentId);
    world.insist(() -> commands.send(new Pay(paymentId, orderId)));
  }

  @SagaEventHandler(associationProperty = "paymentId")
  void on(PaymentDone event, DeadlineManager deadlines) {
    deadlines.schedule(PACKING, "packing", orderId);
  }

  /** A call that failed may have scheduled nonetheless: each attempt has its name, and only confirmed ones are asked for later. */
  @DeadlineHandler(deadlineName = "packing")
  void pack(String packed, EventScheduler scheduler, ShopWorld world) {
    world.insistOn(() -> {
      String attempt = UUID.randomUUID().toString();
      scheduler.schedule(REMINDER, new ReminderDue(packed, attempt));
      world.confirmedReminders.add(attempt);
      return null;
    });
  }

  @SagaEventHandler(associationProperty = "orderId")
  void on(ReminderDue event, CommandGateway commands, ShopWorld world) {
    world.insist(() -> commands.send(new ShipOrder(orderId)));
  }

  @EndSaga
  @SagaEventHandler(associationProperty = "orderId")
  void on(OrderShipped event) {}
}
