"""Uses the published Python clients against every node given (host:port …) and prints what came back as one JSON object."""

import json
import sys
import time
import uuid

from axonclient.client import AxonClient, AxonEvent
from axonclient.exceptions import OutOfRangeError
from eventsourcing.application import Application
from eventsourcing.domain import Aggregate, event

EVENTS_PER_NODE = 5


def new_event(aggregate, sequence, snapshot=False):
    return AxonEvent(
        aggregate_identifier=aggregate,
        aggregate_sequence_number=sequence,
        aggregate_type="Python",
        message_identifier=str(uuid.uuid4()),
        payload_type="Counted",
        payload_revision="1",
        payload_data=str(sequence).encode(),
        snapshot=snapshot,
    )


def conflict_of(client, aggregate):
    """The text that a client gets for a sequence number that is taken."""
    try:
        client.append_event(new_event(aggregate, 0))
    except OutOfRangeError as error:
        return str(error)
    return None


def check_node(uri, others):
    """Appends through one node, reads through all; answers what a test compares."""
    client = AxonClient(uri)
    aggregate = f"python-{uuid.uuid4()}"
    before = client.get_last_token()
    for sequence in range(EVENTS_PER_NODE):
        client.append_event(new_event(aggregate, sequence))
    client.append_snapshot(new_event(aggregate, EVENTS_PER_NODE - 1, snapshot=True))
    started = time.monotonic()
    tracked = client.list_events(tracking_token=before + 1)
    tracked_seconds = time.monotonic() - started
    found = {
        "appended": client.get_last_token() - before,
        "first_token": client.get_first_token(),
        "conflict": conflict_of(client, aggregate),
        "snapshots": [item.aggregate_sequence_number for item in client.list_snapshot_events(aggregate)],
        "with_snapshot": [item.snapshot for item in client.list_aggregate_events(aggregate, 0, True)],
        "tracked_tokens": [token - before for token, _ in tracked],
        "tracked_seconds": tracked_seconds,
        "read_by": {},
    }
    for other in others:
        reader = AxonClient(other)
        found["read_by"][other] = [item.aggregate_sequence_number for item in reader.list_aggregate_events(aggregate, 0, False)]
        reader.close_connection()
    client.close_connection()
    return found


class Dog(Aggregate):
    # The store's first sequence number (client-behaviour ES-4).
    INITIAL_VERSION = 0

    @event("Registered")
    def __init__(self, name):
        self.name = name
        self.tricks = []

    @event("TrickAdded")
    def add_trick(self, trick):
        self.tricks.append(trick)


class School(Application):
    snapshotting_intervals = {Dog: 3}

    def register(self, name):
        dog = Dog(name)
        self.save(dog)
        return dog.id

    def teach(self, dog_id, trick):
        dog = self.repository.get(dog_id)
        dog.add_trick(trick)
        self.save(dog)


def check_application(uri, reader_uri):
    """The eventsourcing library with its Axon Server module: written through one node, read through another."""
    env = {"PERSISTENCE_MODULE": "eventsourcing_axonserver", "IS_SNAPSHOTTING_ENABLED": "y"}
    writer = School(env={**env, "AXONSERVER_URI": uri})
    dog_id = writer.register("Fido")
    for trick in ("sit", "roll", "fetch", "speak"):
        writer.teach(dog_id, trick)
    reader = School(env={**env, "AXONSERVER_URI": reader_uri})
    dog = reader.repository.get(dog_id)
    found = {"name": dog.name, "tricks": dog.tricks, "version": dog.version}
    writer.close()
    reader.close()
    return found


def main(uris):
    found = {uri: check_node(uri, uris) for uri in uris}
    print(json.dumps({"nodes": found, "application": check_application(uris[0], uris[-1])}))


if __name__ == "__main__":
    main(sys.argv[1:])
