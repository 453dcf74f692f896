package muster.compat;

import io.axoniq.axonserver.grpc.event.GetAggregateEventsRequest;
import io.grpc.CallOptions;
import io.grpc.Channel;
import io.grpc.ClientCall;
import io.grpc.ClientInterceptor;
import io.grpc.ForwardingClientCall;
import io.grpc.MethodDescriptor;
import java.util.Map;

/** Sees which part of an aggregate the framework asks for. */
record LoadWatcher(Map<String, Long> latestInitialSequence) implements ClientInterceptor {
  @Override
  public <Q, R> ClientCall<Q, R> interceptCall(MethodDescriptor<Q, R> method, CallOptions options, Channel next) {
    return new ForwardingClientCall.SimpleForwardingClientCall<>(next.newCall(method, options)) {
      @Override
      public void sendMessage(Q message) {
        if (message instanceof GetAggregateEventsRequest request) {
          latestInitialSequence.put(request.getAggregateId(), request.getInitialSequence());
        }
        super.sendMessage(message);
      }
    };
  }
}
