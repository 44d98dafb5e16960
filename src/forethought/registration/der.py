"""As much of DER as it takes to put the certificates of a timestamp in the order that DER demands.

Some services, OpenSSL's responder and DigiCert among them, send the set in another order, which strict decoders
refuse. No signature covers the order.
"""

from typing import NamedTuple

_SET_OF_CERTIFICATES = 0xA0


class _Part(NamedTuple):
    """One value: its tag, and where its header, its content and what follows it begin."""

    tag: int
    begin: int
    content: int
    end: int


def with_sorted_certificates(answer: bytes) -> bytes:
    """The answer to a timestamp query with its certificates sorted; as it is where it cannot be followed."""
    try:
        (response,) = _parts(answer, 0, len(answer))
        token = _inside(answer, response)[1]
        signed_data = _inside(answer, _inside(answer, token)[1])[0]
        held = next(part for part in _inside(answer, signed_data) if part.tag == _SET_OF_CERTIFICATES)
        certificates = sorted(answer[part.begin : part.end] for part in _inside(answer, held))
    except (IndexError, ValueError, StopIteration):
        return answer
    return answer[: held.content] + b"".join(certificates) + answer[held.end :]


def _inside(data: bytes, part: _Part) -> list[_Part]:
    return _parts(data, part.content, part.end)


def _parts(data: bytes, start: int, end: int) -> list[_Part]:
    """The values one after the other from `start` to `end`; ValueError or IndexError where they do not fit."""
    found = []
    while start < end:
        size, content = data[start + 1], start + 2
        if size >= 0x80:
            content += size - 0x80
            size = int.from_bytes(data[start + 2 : content])
        if content + size > end:
            raise ValueError("a value is longer than what holds it")
        found.append(_Part(data[start], start, content, content + size))
        start = content + size
    return found
