"""What no good client sends: values in the place of others, parts of heads, and how a form can be broken."""

import base64
from typing import Any, Final

from tests.end_to_end.api_requests import BOUNDARY, Raw


def cursor(text: bytes) -> str:
    return base64.b64encode(text).decode()


_MANY: Final = b"[" + b",".join([b'"1"'] * 40_000) + b"]"
_STRUCTURES: Final = (
    b"[]", b"[[]]", b"[null]", b"[1]", b'["a"]', b'["a","a"]', b"[{}]", _MANY, _MANY.replace(b'"', b""),
    b"{}",
    b'{"":""}', b'{"a":1}', b'{"$eq":null}', b'{"$eq":{}}', b'{"$like":"[a-"}', b'{"$like":1}', b'{"$in":[]}',
    b'{"$in":"a"}', b'{"$in":[null]}', b'{"$in":' + _MANY + b"}", b'{"$notIn":' + _MANY + b"}",
    b'{"$like":"' + b"*" * 60 + b'X"}', b'{"$like":"' + b"*a" * 200 + b'"}',
    b'{"$like":"' + b"x" * 60_000 + b'"}',
    b'{"$exists":"true"}', b'{"$exists":null}', b'{"$exists":false}', b'{"$gt":1}', b'{"$lt":"x"}',
    b'{"$gt":"9999-12-31T23:59:59-23:59"}', b'{"$nope":1}', b'{"$eq":"a","$neq":"a"}', b'{"$or":[{}]}',
    b"[" + b",".join([b"{}"] * 2000) + b"]", b'[{"field":"a"},{"field":"a"}]', b"[" * 150 + b"]" * 150,
    b"[" * 9000 + b"]" * 9000, b'{"a":' * 190 + b"1" + b"}" * 190, b"NaN", b"Infinity", b"-", b"01", b"1.0",
    b"1e2",
    b"1" + b"0" * 400, b"1" + b"0" * 6000, b"1e400", b"-1e-400", b"'x'", b"", b"{", b'"\\ud800"',
    b'"\\udc00\\ud800"', b'"\xff"', b'"\xed\xa0\x80"', b'"\x01"', b'"\\x"', b'"',
)  # fmt: skip
_TEXTS: Final = (
    "", " ", "\x00", "a\x00b", "\u2028", "x" * 300, "x" * 40_000, "\U0010ffff", "\u0301" * 50, "\n", "=",
    "=1", "=((", "${a}", "%s%n", "'; DROP TABLE x; --", "../../etc/passwd", "<a/>", "[", "[a", "[^", "\\",
    "*" * 60 + "X", "*a" * 200, "?" * 5000, "[[[[]]]]", "-1", "0", "1", "+1", " 1", "1 ", "1_0", "1.0", "1e3",
    "0x10", "9" * 19, "9" * 25, "9" * 5000, "-9223372036854775808", "9223372036854775807", "\u0663", "\uff11",
    "2251799813685249", "6755399441055745", "9999-12-31T23:59:59-23:59", "0001-01-01T00:00:00+23:59",
    "2020-01-01", "2020-01-01T00:00:00", "2020-13-01T00:00:00Z", "2020-01-01T00:00:00.123456789Z",
    "20200101T000000Z", "2020-W01-1T00:00:00Z", "2020-01-01t00:00:00z", "PT1H", "-PT1H", "<default>", "other",
)  # fmt: skip
_CURSORS: Final = (
    b"[1]", b"[]", b"[null]", b'["x",1]', b'[1,"x",0]', b'["x",1,0]', b"[1,2,0]", b"[null,null,0]",
    b"[9e999]",
    b"\xff", b"[" + b"9" * 6000 + b"]", b'["\\ud800",1]', b"[9223372036854775808]", b"[-9223372036854775808]",
    b"[" * 5000,
)  # fmt: skip
_NUMBERS: Final = (0, -1, 1, 7, 1.5, 2**31, -(2**31) - 1, 2**63 - 1, 2**63, -(2**63), -(2**63) - 1, 2**64)
VALUES: Final[tuple[Any, ...]] = (
    None, True, False, *_NUMBERS, *map(Raw, _STRUCTURES), *_TEXTS, *map(cursor, _CURSORS), "A", "====",
    "AA==\n",
)  # fmt: skip
"""Put in the place of any value."""
SEGMENTS: Final = (
    "", "0", "-1", "9" * 19, "9" * 30, "9" * 3000, "x", "%00", "%ff", "%zz", "%", "%2F", "%2e%2e", "..",
    ".", "%ED%A0%80", "%D9%A3", "1%20", "a;b", "a%0d%0ab", "*", "<default>", "%F0%9F%98%80", "1-1", "+1",
    "1.0", "2251799813685249-0", "2251799813685249-99999999999999999999", "\x7f", "\xe9", "\\", "x" * 6000,
    "1#frag", "[::1]", "null", "2251799813685249", "-9223372036854775807", "1_0",
)  # fmt: skip
"""Of a path."""
ARGUMENTS: Final = (
    "", "x", "-1", "9" * 30, "%ff", "%00", "%", "true", "TRUE", "2020-01-01T00:00:00", "a" * 3000,
    "9999-12-31T23:59:59-23:59", "2020-01-01T00:00:00%2B01:00", "0001-01-01T00:00:00%2B23:59",
)  # fmt: skip
"""Of a query."""
_EDGE: Final = BOUNDARY.encode()
FORM_FAULTS: Final = (
    (b'name="resources"', b'name="other"'), (b'name="resources"', b""), (b"; filename=", b"; file="),
    (b'filename="', b'filename="/../'), (b'filename="', b'filename="\xff'), (b"filename=", b"filename*="),
    (b".bpmn", b".exe"), (b".txt", b""), (b".dmn", b".bpmn"), (b".form", b".dmn"), (b"--\r\n", b""),
    (b"\r\n\r\n", b"\r\n"), (b"\r\n", b"\n"), (b"form-data", b"x"), (b"Content-Disposition", b"X"),
    (_EDGE, _EDGE + b"x"), (_EDGE, b""), (b"--" + _EDGE, b"--" + _EDGE + b"\r\n" * 3),
    (b"Content-D", b"X: " + b"y" * 20_000 + b"\r\nContent-D"), (b"xmlns", b"xmlnt"),
    (b"<process", b"<proces"), (b'id="', b'ID="'), (b"Ref=", b"Ref=a"), (b"=", b"=="), (b"<", b"<!--"),
    (b'id="start"', b'id="end"'), (b"http://", b"file://"), (b"?>", b"?><!DOCTYPE a [<!ENTITY b 'c'>]>"),
)  # fmt: skip
"""Bytes of a form, and others in their place."""
CONTENT_TYPES: Final = (
    "text/plain", "", "application/xml", "application/json; charset=utf-16", "multipart/form-data",
    "application/json;charset=", "a" * 2000, "multipart/form-data; boundary=x", "/", ";;;",
)  # fmt: skip
ACCEPTED: Final = (
    "text/html", "", "x", "*/*;q=0", ",,,", "application/json;q=x",
)  # fmt: skip
ENCODINGS: Final = (
    b"gzip", b"br", b"x", b"deflate", b"gzip, gzip", b"zstd", b"identity",
)  # fmt: skip
LENGTHS: Final = (
    b"-1", b"x", b"1\r\nContent-Length: 2", b"99999999999999999999", b"+5", b"",
)  # fmt: skip
CHUNKS: Final = (
    b"zz\r\n", b"-1\r\n", b"ffffffffffffffffff\r\n", b"5\r\nabc", b"3\r\nabcd\r\n0\r\n\r\n", b"0\r\n",
)  # fmt: skip
HEADERS: Final = (
    b"no colon\r\n", b": x\r\n", b"a b: c\r\n", b"X: \x00\r\n", b"X: \xff\r\n", b" folded\r\n",
    b"Host: other\r\n", b"Connection: \xff\r\n", b"Upgrade: websocket\r\nConnection: upgrade\r\n",
    b"Expect: 200-maybe\r\n", b"Cookie: " + b";=" * 900 + b"\r\n", b"Authorization: Basic !!!\r\n",
)  # fmt: skip
METHODS: Final = (
    b"", b"get", b"G@T", b"TRACE", b"CONNECT", b"PRI", b"x" * 9000,
)  # fmt: skip
HEADS: Final = (
    b"\r\n\r\n", b"GET\r\n\r\n", b"GET / HTTP/9.9\r\n\r\n", b"GET /v2/topology\r\n\r\n",
    b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", b"\x00" * 50,
    b"GET http://[::1/v2/topology HTTP/1.1\r\n\r\n", b"GET * HTTP/1.1\r\n\r\n",
    b"GET http://a:99999/v2/topology HTTP/1.1\r\nHost: a\r\n\r\n",
    b"GET //v2/topology HTTP/1.1\r\nHost: a\r\n\r\n", b"GET http:///x HTTP/1.1\r\n\r\n",
    b"GET a b HTTP/1.1\r\n\r\n", b"GET /v2/\xff\xfe HTTP/1.1\r\nHost: a\r\n\r\n",
    b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", b"GET /v2/topology HTTP/1.0\r\n\r\n", b"GET x:y HTTP/1.1\r\n\r\n",
    b"OPTIONS * HTTP/1.1\r\n\r\n", b"GET ?a HTTP/1.1\r\n\r\n",
)  # fmt: skip
"""Whole requests, or what is taken for them."""
