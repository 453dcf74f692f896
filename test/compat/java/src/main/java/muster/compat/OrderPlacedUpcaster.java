package muster.compat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import muster.compat.ShopMessages.OrderPlaced;
import org.axonframework.serialization.SimpleSerializedType;
import org.axonframework.serialization.upcasting.event.IntermediateEventRepresentation;
import org.axonframework.serialization.upcasting.event.SingleEventUpcaster;

/** From no revision (euros) to revision 2 (cents). */
final class OrderPlacedUpcaster extends SingleEventUpcaster {
  static final String TYPE = OrderPlaced.class.getName();

  @Override
  protected boolean canUpcast(IntermediateEventRepresentation event) {
    String revision = event.getType().getRevision();
    return event.getType().getName().equals(TYPE) && (revision == null || revision.isEmpty());
  }

  @Override
  protected IntermediateEventRepresentation doUpcast(IntermediateEventRepresentation event) {
    return event.upcastPayload(new SimpleSerializedType(TYPE, "2"), JsonNode.class, (node) -> {
      ObjectNode object = (ObjectNode) node;
      object.put("cents", 100 * object.remove("euros").asInt());
      return object;
    });
  }
}
