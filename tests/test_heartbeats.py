"""A process that dies, stops, leaves or hangs is noticed by all others, and said by its number."""

import queue
import socket
import threading
import time
from collections.abc import Iterator

import pytest

from laten.common import heartbeats
from laten.common.errors import DataError
from laten.common.heartbeats import Heartbeats, accepted, connected, listening

TIMEOUT = 0.5


class Three:
    """Three processes of a cluster, as far as heartbeats know, with what each learned."""

    def __init__(self):
        first, second = socket.socketpair(), socket.socketpair()
        links = [{1: first[0], 2: second[0]}, {0: first[1]}, {0: second[1]}]
        self.links = links
        self.told = [queue.Queue[str]() for _ in links]
        self.ends = [Heartbeats(i, link, TIMEOUT, self.told[i].put) for i, link in enumerate(links)]

    def heard(self, process: int) -> str:
        return self.told[process].get(timeout=20)

    def freeze(self, process: int) -> None:
        """Stops its thread, as SIGSTOP does, with its connections open."""
        self.ends[process].over = True
        self.ends[process].thread.join()


@pytest.fixture
def three(monkeypatch: pytest.MonkeyPatch) -> Iterator[Three]:
    monkeypatch.setattr(heartbeats, "BEAT", 0.05)
    found = Three()
    yield found
    for end, links in zip(found.ends, found.links, strict=True):
        end.over = True
        end.thread.join()
        for link in links.values():
            link.close()


def test_a_process_that_ends(three):
    with three.ends[0].at_work(), three.ends[2].at_work():
        three.freeze(1)
        three.links[1][0].close()
        assert three.heard(0) == three.heard(2) == "process 1 has ended"


@pytest.mark.parametrize("stopped", [0, 1])
def test_a_process_that_stops(three, stopped):
    with three.ends[1 - stopped].at_work(), three.ends[2].at_work():
        three.freeze(stopped)
        said = f"process {stopped} has been silent for 0.5 seconds: it is stopped, or cut off"
        assert three.heard(1 - stopped) == three.heard(2) == said


def test_a_process_that_does_not_come_to_a_call(three, monkeypatch):
    monkeypatch.setattr(heartbeats, "FIRST_CALL", TIMEOUT)
    with three.ends[0].at_work(), three.ends[1].at_work():
        with three.ends[0].waiting("steps"), three.ends[2].waiting("steps"):
            assert three.heard(0).startswith("process 1 does not go on")
        assert three.heard(1) == "process 1 does not go on, and has not for 0.5 seconds or longer"


def test_a_call_may_last_as_long_as_such_calls_do(three):
    three.ends[0].took["steps"] = 1.0
    with three.ends[0].at_work(), three.ends[0].waiting("steps"):
        time.sleep(2 * TIMEOUT)
    assert three.told[0].empty()


def test_a_farewell_is_a_loss_only_for_who_still_works(three):
    three.ends[1].leave()
    time.sleep(0.3)
    assert three.told[0].empty()
    with three.ends[0].at_work():
        assert three.heard(0) == "process 1 has left before the end; its own messages say why"


def test_strangers_are_sent_away(monkeypatch):
    monkeypatch.setattr(heartbeats, "HELLO", 0.5)
    listener = listening()
    port, found = listener.getsockname()[1], queue.Queue()
    waiter = threading.Thread(target=lambda: found.put(accepted(listener, "secret", 1, 20)))
    waiter.start()
    with pytest.raises(DataError, match="it hangs up"):
        connected(["127.0.0.1"], port, "guess", 1, 0.3)
    with socket.create_connection(("127.0.0.1", port)):  # it is sent away when it has said nothing for long
        friend = connected(["no.such.host.invalid", "127.0.0.1"], port, "secret", 1, 20)
    links = found.get(timeout=20)
    assert list(links) == [1]
    for link in (friend, *links.values()):
        link.close()
    waiter.join()


def test_who_does_not_come_is_counted():
    with pytest.raises(DataError, match="2 of 2 processes have not come"):
        accepted(listening(), "secret", 2, 0.1)
    with pytest.raises(DataError, match=r"process 0 cannot be reached at 127\.0\.0\.1"):
        connected(["127.0.0.1"], 1, "secret", 1, 0.3)
