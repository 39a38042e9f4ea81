"""The worker of a device outlives whatever its clients do."""

from concurrent.futures import Future

from engine.service.device_queue import DeviceQueue


def collect(ended):
    """Return a ``done`` that hands on the work's own future."""
    return lambda future: ended.set_result(future.result())


def test_a_client_that_fails_in_taking_its_result_does_not_stop_the_device(caplog):
    queue, ended = DeviceQueue("cpu", 2), Future()

    def fail(_):
        raise RuntimeError("the client's end is broken")

    with queue.lane() as broken, queue.lane() as sound:
        broken.submit(lambda: 1, fail)
        sound.submit(lambda: 2, collect(ended))
        assert ended.result(timeout=5) == 2
    assert queue.close(5)
    assert "the client's end is broken" in caplog.text


def test_lanes_take_turns_and_keep_their_own_order():
    queue, gate, order, ended = DeviceQueue("cpu", 2), Future(), [], Future()
    with queue.lane() as first, queue.lane() as second:
        first.submit(lambda: gate.result(timeout=5), lambda _: None)
        for name, lane in (("a1", first), ("a2", first), ("b1", second), ("b2", second)):
            lane.submit(lambda name=name: order.append(name), lambda _: None)
        second.submit(lambda: None, collect(ended))
        gate.set_result(None)
        ended.result(timeout=5)
    assert order == ["a1", "b1", "a2", "b2"]
    assert queue.close(5)
