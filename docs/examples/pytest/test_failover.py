"""What an app promises its users, kept while nodes of its cluster die."""

import time
import uuid

import pytest
from axonclient.client import AxonClient, AxonEvent

UNTIL_ANSWERED_MAX = 20


class Account:
    """Deposits, each confirmed before the next; whoever serves is asked, as in an app that knows all nodes."""

    def __init__(self, servers):
        self.servers = servers
        self.name = f"account-{uuid.uuid4()}"

    def deposit(self, number):
        latest = time.monotonic() + UNTIL_ANSWERED_MAX
        while True:
            for server in self.servers:
                try:
                    client = AxonClient(server)
                    # What became of the try before may be unknown.
                    if len(client.list_aggregate_events(self.name, 0, False)) <= number:
                        client.append_event(self.event(number))
                    return
                except Exception as problem:
                    if time.monotonic() > latest:
                        raise problem
            time.sleep(0.05)

    def deposits(self, server):
        return len(AxonClient(server).list_aggregate_events(self.name, 0, False))

    def event(self, number):
        return AxonEvent(
            message_identifier=str(uuid.uuid4()),
            aggregate_identifier=self.name,
            aggregate_sequence_number=number,
            aggregate_type="Account",
            timestamp=int(time.time() * 1000),
            payload_type="Deposited",
            payload_revision="1",
            payload_data=b"10",
        )


def test_no_deposit_is_lost_when_the_leader_is_killed(cluster):
    account = Account(cluster.servers)
    account.deposit(0)
    cluster.kill("leader:default")
    account.deposit(1)
    cluster.muster("start", "all")
    cluster.wait("caught-up")
    for server in cluster.servers:
        assert account.deposits(server) == 2


def test_without_a_majority_the_reason_is_told(cluster):
    cluster.kill("node-2")
    cluster.kill("node-3")
    with pytest.raises(AssertionError, match="NOT_READY_IN_TIME"):
        cluster.wait("leader:default", "1s")
