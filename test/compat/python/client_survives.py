"""Writes with a published Python client through one node until that node is lost, then through another; prints one JSON object a line.

    client_survives.py axonclient|eventsourcing host:port …

First line: the node that serves. After a line on stdin says that it was struck, work goes on until another node has served a while; the
second line tells what was confirmed and what every node then has.
"""

import json
import sys
import threading
import time
import uuid

from axonclient.client import AxonClient
from axonclient.exceptions import OutOfRangeError

from client_checks import School, new_event

CALL_SECONDS = 5
RUN_SECONDS = 100
CONFIRMED_BEFORE = 30
CONFIRMED_AFTER = 50


class NoAnswer(Exception):
    pass


def answer_of(work):
    """What `work` returns or raises; NoAnswer when it takes too long: its thread is left behind."""
    found = {}

    def run():
        try:
            found["value"] = work()
        except BaseException as error:
            found["error"] = error

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    thread.join(CALL_SECONDS)
    if "value" in found:
        return found["value"]
    raise found.get("error") or NoAnswer()


class Appender:
    """axonclient: appends to one aggregate."""

    def __init__(self):
        self.aggregate = f"survives-{uuid.uuid4()}"
        self.unknown = False

    def connect(self, uri):
        self.client = AxonClient(uri)
        answer_of(self.client.get_last_token)

    def step(self, number):
        client = self.client
        try:
            answer_of(lambda: client.append_event(new_event(self.aggregate, number)))
        except OutOfRangeError:
            # Stored by the call whose answer never came.
            if not self.unknown:
                raise AssertionError(f"event {number} was refused although nobody appended it")
        except Exception:
            self.unknown = True
            raise
        self.unknown = False

    def stored(self, uri):
        client = AxonClient(uri)
        events = answer_of(lambda: client.list_aggregate_events(self.aggregate, 0, False))
        return [item.aggregate_sequence_number for item in events]


class Teacher:
    """eventsourcing: teaches one dog, in steps that are read again when their outcome is not known."""

    def __init__(self):
        self.dog = None

    def connect(self, uri):
        env = {"PERSISTENCE_MODULE": "eventsourcing_axonserver", "IS_SNAPSHOTTING_ENABLED": "y", "AXONSERVER_URI": uri}
        self.school = answer_of(lambda: School(env=env))
        if self.dog is None:
            self.dog = answer_of(lambda: self.school.register("Fido"))

    def step(self, number):
        school = self.school
        known = answer_of(lambda: school.repository.get(self.dog)).tricks
        if len(known) == number:
            answer_of(lambda: school.teach(self.dog, str(number)))
        elif len(known) != number + 1:
            raise AssertionError(f"{len(known)} tricks when {number} were confirmed")

    def stored(self, uri):
        env = {"PERSISTENCE_MODULE": "eventsourcing_axonserver", "AXONSERVER_URI": uri}
        school = answer_of(lambda: School(env=env))
        return [int(trick) for trick in answer_of(lambda: school.repository.get(self.dog)).tricks]


def main(kind, uris):
    end = time.monotonic() + RUN_SECONDS
    struck = threading.Event()
    threading.Thread(target=lambda: (sys.stdin.readline(), struck.set()), daemon=True).start()
    work = Appender() if kind == "axonclient" else Teacher()
    at, moves, confirmed, since_move, told = 0, 0, 0, 0, False
    lost = None
    work.connect(uris[at])
    while not (struck.is_set() and moves > 0 and since_move >= CONFIRMED_AFTER):
        if time.monotonic() > end:
            raise TimeoutError(f"{confirmed} confirmed, {moves} moves")
        try:
            work.step(confirmed)
        except AssertionError:
            raise
        except Exception:
            lost = lost or uris[at]
            at, moves, since_move = (at + 1) % len(uris), moves + 1, 0
            try:
                work.connect(uris[at])
            except AssertionError:
                raise
            except Exception:
                pass
            continue
        confirmed += 1
        since_move += 1
        if not told and confirmed >= CONFIRMED_BEFORE:
            told = True
            print(json.dumps({"serving": uris[at]}), flush=True)
    readable = {}
    for uri in uris:
        if uri != lost:
            readable[uri] = work.stored(uri) == list(range(confirmed))
    print(json.dumps({"lost": lost, "now": uris[at], "moves": moves, "confirmed": confirmed, "readable": readable}), flush=True)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
