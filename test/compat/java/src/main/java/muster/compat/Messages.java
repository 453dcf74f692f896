package muster.compat;

import org.axonframework.modelling.command.TargetAggregateIdentifier;

/** Commands, events and queries of the application. */
final class Messages {
  private Messages() {}

  /** Opens an account; fails with a sequence conflict when it exists. */
  record OpenAccount(@TargetAggregateIdentifier String account) {}

  /** Adds one entry; answers the number of entries after it. `operation` is unique, so each entry can be found again. */
  record Deposit(@TargetAggregateIdentifier String account, String operation, int amount) {}

  record AccountOpened(String account) {}

  record Deposited(String account, String operation, int amount) {}

  record BalanceQuery(String account) {}
}
