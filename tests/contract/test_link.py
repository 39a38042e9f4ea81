"""The link: a host's client against a real server, in this process and in its own."""

import json
import os
import socket
import stat
import threading
import time
from pathlib import Path

import pytest
from eventually import eventually
from side_car import command, environment, journal, link_served, platekey, write_footage

from host_bridge.knobs import knob_specs
from host_bridge.link.control import stop_link
from host_bridge.link.protocol import MAX_LINE
from plugin.core.link import LinkClient, LinkError


@pytest.fixture
def home(tmp_path, monkeypatch):
    for name, value in environment(tmp_path / "höme", journal=str(tmp_path / "journal"), delay=0.3).items():
        monkeypatch.setenv(name, value)
    return tmp_path / "höme"


@pytest.fixture
def server(home):
    """The content of a running server's state file."""
    with link_served(home) as state:
        yield state


@pytest.fixture
def shot(tmp_path):
    (tmp_path / "out").mkdir()
    return {
        "frames": write_footage(tmp_path / "shöt", range(1, 5)),
        "clean_plate": "1",
        "output": str(tmp_path / "out" / "key.####.exr"),
    }


def raw(server):
    connection = socket.create_connection(("127.0.0.1", server["port"]), timeout=10)
    return connection, connection.makefile("rwb", buffering=0)


def test_hello_tells_versions_and_knobs_are_the_protos(server, home):
    with LinkClient(home=home) as link:
        assert link.side_car == {"link": 1, "version": "0.1.0"}
        told = link.call("knobs")
    assert [knob["name"] for knob in told["knobs"]] == [spec.name for spec in knob_specs()]
    assert "shadow_ratio" in told["layers"]


def test_describe_tells_who_would_compute_and_starts_an_engine_for_it(server, home):
    with LinkClient(home=home) as link:
        assert link.call("status")["engines"] == []
        told = link.call("describe")
        assert (told["device"], told["device_name"], told["build"]) == ("cpu", "Fake CPU", "fake-1")
        assert told["models"] == [{"name": "platenet", "weights": "a" * 64, "commercial_use": False}]
        assert link.call("status")["engines"][0]["build"] == "fake-1"
        with pytest.raises(LinkError, match="no device 'cuda:7'"):
            link.call("describe", device="cuda:7")
        with pytest.raises(LinkError, match="Unknown field frames"):
            link.call("describe", frames="x")


def test_messages_of_several_calls_come_as_they_happen(server, home, shot):
    with LinkClient(home=home) as link:
        first = link.submit("matte", **shot, frame_range="1")
        second = link.submit("matte", **shot, frame_range="2")
        heard = {first: [], second: []}
        while len([message for told in heard.values() for message in told if "result" in message]) < 2:
            message = link.receive()
            heard[message["id"]].append(message)
        assert link.receive(0.0) is None
    for number, frame in ((first, 1), (second, 2)):
        assert {m["event"]["frame"] for m in heard[number] if m.get("event", {}).get("event") == "done"} == {frame}


def test_stop_ends_a_side_car_and_spares_one_at_work(server, home, shot):
    with LinkClient(home=home) as link:
        events = link.matte(**shot)
        next(events)
        assert stop_link() is False
        assert list(events)[-1]["event"] == "finished"
    assert "side-car: stopping" in platekey(dict(os.environ), "stop").stdout
    eventually(lambda: not (home / "run" / "link.json").exists())
    assert "side-car" not in platekey(dict(os.environ), "stop").stdout


@pytest.mark.skipif(os.name != "posix", reason="Windows has no such modes")
def test_only_its_owner_can_read_the_token(server, home):
    assert stat.S_IMODE((home / "run" / "link.json").stat().st_mode) == 0o600
    assert stat.S_IMODE((home / "run").stat().st_mode) == 0o700


def test_a_shot_is_keyed_with_events_on_the_way(server, home, shot):
    with LinkClient(home=home) as link:
        events = list(link.matte(**shot, frame_range="2-3", knobs={"edge_shift": 1.0}))
        status = link.call("status")
    assert events[0]["event"] == "started"
    assert {event["stage"] for event in events if event["event"] == "stage"} == {"decode", "matte", "encode"}
    assert [Path(event["path"]).name for event in events if event["event"] == "done"] == [
        "key.0002.exr",
        "key.0003.exr",
    ]
    assert all(Path(event["path"]).is_file() for event in events if event["event"] == "done")
    assert events[-1] == {"event": "finished", "delivered": {"made": 2}, "failed": [], "exit_code": 0}
    assert status["engines"][0]["device"] == "cpu"


def test_cancel_from_another_thread_ends_the_job(server, home, shot):
    with LinkClient(home=home) as link:
        events = link.matte(**shot)
        assert next(event for event in events if event["event"] == "stage")
        threading.Thread(target=link.cancel).start()
        with pytest.raises(LinkError) as caught:
            list(events)
        assert caught.value.reason == "CANCELLED"
        assert link.call("status")["version"] == "0.1.0"


def test_a_client_that_goes_away_takes_its_work_along(server, home, shot, tmp_path):
    write_footage(tmp_path / "shöt", range(5, 41))
    link = LinkClient(home=home)
    next(event for event in link.matte(**shot) if event["event"] == "done")
    link.close()
    time.sleep(1.0)
    made = journal(tmp_path / "journal", "frame")
    time.sleep(0.7)
    assert journal(tmp_path / "journal", "frame") == made
    assert len(made) < 40
    with LinkClient(home=home) as other:
        assert other.call("shutdown") == {"stopping": True}


def test_shutdown_is_refused_while_another_client_works(server, home, shot):
    with LinkClient(home=home) as working, LinkClient(home=home) as asking:
        events = working.matte(**shot)
        next(events)
        assert asking.call("shutdown") == {"stopping": False}
        assert list(events)[-1]["event"] == "finished"


@pytest.mark.parametrize(
    ("options", "reason", "words"),
    [
        ({"frames": "relative.####.exr"}, "BAD_REQUEST", "no absolute path"),
        ({"frames": "/nowhere/p.####.exr"}, "FILE_MISSING", "/nowhere"),
        ({"knobs": {"mix": 7}}, "BAD_REQUEST", "out of range"),
        ({"colour": "x"}, "BAD_REQUEST", "Unknown field colour"),
    ],
)
def test_a_bad_job_is_an_error_with_a_next_step(server, home, shot, options, reason, words):
    with LinkClient(home=home) as link, pytest.raises(LinkError, match=words) as caught:
        list(link.matte(**{**shot, **options}))
    assert caught.value.reason == reason
    assert caught.value.next_step


def test_a_side_car_older_than_the_node_is_named_with_its_version(server, home):
    with (
        LinkClient(home=home) as link,
        pytest.raises(LinkError, match=r"0\.1\.0, is older .* not know 'dance'") as caught,
    ):
        link.call("dance")
    assert caught.value.reason == "VERSION_MISMATCH"


@pytest.mark.parametrize(
    ("params", "reason"),
    [
        ({"token": "guess", "link": 1}, "TOKEN_WRONG"),
        ({"link": 1}, "TOKEN_WRONG"),
        ({"link": 2}, "VERSION_MISMATCH"),
    ],
)
def test_a_stranger_is_told_why_and_dropped(server, params, reason):
    connection, stream = raw(server)
    known = {"token": server["token"]} if reason == "VERSION_MISMATCH" else {}
    stream.write(json.dumps({"id": 1, "method": "hello", "params": {**known, **params}}).encode() + b"\n")
    with connection:
        assert json.loads(stream.readline())["error"]["reason"] == reason
        assert stream.readline() == b""


def test_nothing_is_answered_before_hello(server):
    connection, stream = raw(server)
    stream.write(b'{"id": 1, "method": "knobs"}\n')
    with connection:
        assert json.loads(stream.readline())["error"]["reason"] == "TOKEN_WRONG"


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b"x" * (MAX_LINE + 10), "LIMIT_EXCEEDED"),
        (b"nonsense\n", "BAD_REQUEST"),
        (b"[1]\n", "BAD_REQUEST"),
        (b'{"id": [], "method": "knobs"}\n', "BAD_REQUEST"),
        (b'{"id": 2, "method": "knobs", "params": 3}\n', "BAD_REQUEST"),
    ],
)
def test_a_message_that_breaks_the_rules_drops_its_sender_only(server, home, line, reason):
    connection, stream = raw(server)
    hello = {"id": 1, "method": "hello", "params": {"token": server["token"], "link": 1}}
    stream.write(json.dumps(hello).encode() + b"\n")
    assert "result" in json.loads(stream.readline())
    connection.sendall(line)
    with connection:
        assert json.loads(stream.readline())["error"]["reason"] == reason
        assert stream.readline() == b""
    with LinkClient(home=home) as link:
        assert link.call("knobs")


def test_without_a_side_car_the_client_says_what_to_do(tmp_path):
    with pytest.raises(LinkError, match="platekey doctor"):
        LinkClient(home=tmp_path)
    with pytest.raises(LinkError, match="cannot be started"):
        LinkClient(["/no/such/platekey", "link"], home=tmp_path)


def test_a_stranger_on_the_side_cars_port_is_not_waited_for(tmp_path, monkeypatch):
    monkeypatch.setattr("plugin.core.link._HELLO_SECONDS", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as stranger:
        (tmp_path / "run").mkdir()
        state = {"port": stranger.getsockname()[1], "token": "t"}
        (tmp_path / "run" / "link.json").write_text(json.dumps(state))
        with pytest.raises(LinkError, match="another program has its port"):
            LinkClient(home=tmp_path)


def test_clients_at_once_start_one_side_car_and_it_stops_when_idle(home):
    pids, errors = set(), []

    def visit():
        try:
            with LinkClient(command("link", "--idle-stop", "2"), home=home) as link:
                link.call("knobs")
                pids.add(json.loads((home / "run" / "link.json").read_text())["pid"])
        except LinkError as error:
            errors.append(error)

    threads = [threading.Thread(target=visit) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert errors == []
    assert len(pids) == 1
    eventually(lambda: not (home / "run" / "link.json").exists())
