package muster.compat;

import org.axonframework.commandhandling.RoutingKey;
import org.axonframework.modelling.command.TargetAggregateIdentifier;
import org.axonframework.serialization.Revision;

/** Commands, events and queries of the shop. */
final class ShopMessages {
  private ShopMessages() {}

  /** Places the order unless it is placed already. */
  record PlaceOrder(@TargetAggregateIdentifier String orderId, int cents) {}

  /** Answers {price in cents, number of notes}. */
  record AddNote(@TargetAggregateIdentifier String orderId) {}

  record ShipOrder(@TargetAggregateIdentifier String orderId) {}

  record Pay(@TargetAggregateIdentifier String paymentId, String orderId) {}

  /** Answers the name of the instance that handled it. */
  record WhoHandles(@RoutingKey String key) {}

  /** Handled one at a time, and not before the gate is open. */
  record Urgent(@RoutingKey String name, int priority) {}

  interface ShopEvent {
    String orderId();
  }

  /** Before revision 2 the price was in euros. */
  @Revision("2")
  record OrderPlaced(String orderId, int cents) implements ShopEvent {}

  record NoteAdded(String orderId) implements ShopEvent {}

  record PaymentDone(String paymentId, String orderId) implements ShopEvent {}

  /** Published by the event scheduler; `attempt` is unique. */
  record ReminderDue(String orderId, String attempt) implements ShopEvent {}

  record OrderShipped(String orderId) implements ShopEvent {}

  record StatusQuery(String orderId) {}

  record OfferQuery(String item) {}

  record CountQuery(int upTo) {}
}
