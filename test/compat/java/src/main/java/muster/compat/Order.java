package muster.compat;

import com.fasterxml.jackson.annotation.JsonAutoDetect;
import java.util.List;
import muster.compat.ShopMessages.AddNote;
import muster.compat.ShopMessages.NoteAdded;
import muster.compat.ShopMessages.OrderPlaced;
import muster.compat.ShopMessages.OrderShipped;
import muster.compat.ShopMessages.PlaceOrder;
import muster.compat.ShopMessages.ShipOrder;
import org.axonframework.commandhandling.CommandHandler;
import org.axonframework.eventsourcing.EventSourcingHandler;
import org.axonframework.modelling.command.AggregateCreationPolicy;
import org.axonframework.modelling.command.AggregateIdentifier;
import org.axonframework.modelling.command.AggregateLifecycle;
import org.axonframework.modelling.command.CreationPolicy;
import org.axonframework.serialization.Revision;

/** Its commands may come again: what is done is not done twice. Snapshots of another revision are passed over by the framework. */
@Revision("2")
@JsonAutoDetect(fieldVisibility = JsonAutoDetect.Visibility.ANY)
class Order {
  @AggregateIdentifier private String orderId;
  private int cents;
  private int notes;
  private boolean shipped;

  Order() {}

  @CommandHandler
  @CreationPolicy(AggregateCreationPolicy.CREATE_IF_MISSING)
  void handle(PlaceOrder command) {
    if (orderId == null) {
      AggregateLifecycle.apply(new OrderPlaced(command.orderId(), command.cents()));
    }
  }

  @CommandHandler
  List<Integer> handle(AddNote command) {
    AggregateLifecycle.apply(new NoteAdded(orderId));
    return List.of(cents, notes);
  }

  @CommandHandler
  void handle(ShipOrder command) {
    if (!shipped) {
      AggregateLifecycle.apply(new OrderShipped(orderId));
    }
  }

  @EventSourcingHandler
  void on(OrderPlaced event) {
    orderId = event.orderId();
    cents = event.cents();
  }

  @EventSourcingHandler
  void on(NoteAdded event) {
    notes += 1;
  }

  @EventSourcingHandler
  void on(OrderShipped event) {
    shipped = true;
  }
}
