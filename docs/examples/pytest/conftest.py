"""A pytest fixture: a cluster of real nodes, and the verbs that break it. The variable MUSTER names the command; else it is `muster`."""

import os
import shlex
import subprocess

import pytest

CALL_SECONDS_MAX = 60


class Cluster:
    """Each method is one call of the command line; one that fails fails the test with what Muster says."""

    def __init__(self, name):
        self.name = name

    def muster(self, *words):
        """Any command of `muster --help` for this cluster; its standard output."""
        return muster(*words, "--cluster", self.name)

    @property
    def servers(self):
        """gRPC addresses: ["localhost:8124", ...]."""
        lines = self.muster("connect", "--for", "env").splitlines()
        found = next(line for line in lines if "SERVERS=" in line)
        return found.split("=", 1)[1].strip('" ').split(",")

    def kill(self, target):
        """kill -9 of node-2, leader:default or follower:default."""
        self.muster("kill", target)

    def wait(self, condition, timeout="10s"):
        """leader:default, ready, caught-up or apps:2; fails with the reason when it is not met in time."""
        self.muster("wait", condition, "--timeout", timeout)

    def mend(self):
        """Heals all faults; every node runs and is ready again."""
        self.muster("heal")
        self.muster("start", "all")
        self.wait("ready", "30s")


def muster(*words):
    command = shlex.split(os.environ.get("MUSTER", "muster")) + list(words)
    done = subprocess.run(command, capture_output=True, text=True, timeout=CALL_SECONDS_MAX, stdin=subprocess.DEVNULL)
    assert done.returncode == 0, f"{shlex.join(command)}\n{done.stderr}"
    return done.stdout


@pytest.fixture(scope="session")
def whole_cluster():
    name = "pytest"
    try:
        muster("up", name, "--nodes", "3", "--throw-away", "--detach")
        yield Cluster(name)
    finally:
        muster("down", name)


@pytest.fixture
def cluster(whole_cluster):
    """The cluster with all nodes up; what a test broke is mended after it."""
    yield whole_cluster
    whole_cluster.mend()
