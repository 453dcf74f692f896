package muster.compat;

import com.fasterxml.jackson.annotation.JsonAutoDetect;
import muster.compat.ShopMessages.Pay;
import muster.compat.ShopMessages.PaymentDone;
import org.axonframework.commandhandling.CommandHandler;
import org.axonframework.eventsourcing.EventSourcingHandler;
import org.axonframework.modelling.command.AggregateCreationPolicy;
import org.axonframework.modelling.command.AggregateIdentifier;
import org.axonframework.modelling.command.AggregateLifecycle;
import org.axonframework.modelling.command.CreationPolicy;

/** Lives in the component "billing". */
@JsonAutoDetect(fieldVisibility = JsonAutoDetect.Visibility.ANY)
class Payment {
  @AggregateIdentifier private String paymentId;

  Payment() {}

  @CommandHandler
  @CreationPolicy(AggregateCreationPolicy.CREATE_IF_MISSING)
  void handle(Pay command) {
    if (paymentId == null) {
      AggregateLifecycle.apply(new PaymentDone(command.paymentId(), command.orderId()));
    }
  }

  @EventSourcingHandler
  void on(PaymentDone event) {
    paymentId = event.paymentId();
  }
}
