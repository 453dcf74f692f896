package muster.compat;

import com.fasterxml.jackson.annotation.JsonAutoDetect;
import muster.compat.Messages.AccountOpened;
import muster.compat.Messages.Deposit;
import muster.compat.Messages.Deposited;
import muster.compat.Messages.OpenAccount;
import org.axonframework.commandhandling.CommandHandler;
import org.axonframework.eventsourcing.EventSourcingHandler;
import org.axonframework.modelling.command.AggregateCreationPolicy;
import org.axonframework.modelling.command.AggregateIdentifier;
import org.axonframework.modelling.command.AggregateLifecycle;
import org.axonframework.modelling.command.CreationPolicy;

/** The aggregate. Its fields are visible to Jackson because snapshots store it whole. */
@JsonAutoDetect(fieldVisibility = JsonAutoDetect.Visibility.ANY)
class Account {
  @AggregateIdentifier private String account;
  private int balance;

  Account() {}

  @CommandHandler
  Account(OpenAccount command) {
    AggregateLifecycle.apply(new AccountOpened(command.account()));
  }

  /** Returns the sequence number of the event that this command appends. */
  @CommandHandler
  @CreationPolicy(AggregateCreationPolicy.CREATE_IF_MISSING)
  long handle(Deposit command) {
    if (command.amount() < 0) {
      throw new IllegalArgumentException("an amount must not be negative");
    }
    AggregateLifecycle.apply(new Deposited(command.account(), command.operation(), command.amount()));
    return AggregateLifecycle.getVersion();
  }

  @EventSourcingHandler
  void on(AccountOpened event) {
    account = event.account();
  }

  @EventSourcingHandler
  void on(Deposited event) {
    account = event.account();
    balance += event.amount();
  }
}
