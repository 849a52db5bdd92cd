import pytest

from bpmnd.cluster.errors import RefusedError
from bpmnd.cluster.handshake import (
    EXTRA_SIZE_MAX,
    INCARNATION_MAX,
    NODE_MAX,
    Hello,
    headers_of,
    hello_of,
    reason_header,
    reason_of,
)

SESSION = "0123456789abcdef"


@pytest.mark.parametrize(
    "hello", [Hello(0, 0), Hello(NODE_MAX, INCARNATION_MAX, "A.b_c-9" * 9, bytes(range(256)) * 16)]
)
def test_a_hello_arrives_as_it_was_said(hello: Hello) -> None:
    assert hello_of(headers_of(hello, SESSION)) == (hello, SESSION)


@pytest.mark.parametrize(
    ("header", "value"),
    [
        ("Bpmnd-Version", "2"),
        ("Bpmnd-Node", "-1"),
        ("Bpmnd-Node", "4294967296"),
        ("Bpmnd-Node", "٣"),
        ("Bpmnd-Incarnation", ""),
        ("Bpmnd-Incarnation", "9" * 20),
        ("Bpmnd-Cluster", "a b"),
        ("Bpmnd-Cluster", "c" * 65),
        ("Bpmnd-Session", "0123"),
        ("Bpmnd-Extra", "no base64!"),
        ("Bpmnd-Extra", "AAAA" * EXTRA_SIZE_MAX),
    ],
)
def test_a_malformed_hello_is_refused(header: str, value: str) -> None:
    with pytest.raises(RefusedError):
        hello_of({**headers_of(Hello(1, 1), SESSION), header: value})


def test_a_refusal_is_read_as_it_was_written() -> None:
    reason = "node 3 is gone; add it again, naïve, 100 %\r\nBpmnd-Node: 1"

    header = reason_header(reason)

    assert "\n" not in header["Bpmnd-Reason"]
    assert reason_of(header) == reason
