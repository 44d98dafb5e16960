"""The fingerprint: the hash of what a protocol says, and of nothing else."""

import hashlib

import pytest

from forethought.files import canonical_json
from forethought.protocol import plain_yaml
from forethought.protocol.fingerprint import fingerprint

ORACLE = "9affa2a2f33f0954545d62933cce26571ae72079275b4dd0c2d339545470d1dd"
"""SHA-256 of `{"a":[1e+21,0.002,"é"],"b":1,"n":null}`, computed with rfc8785 0.1.4 and by hand."""


def test_it_is_the_hash_of_the_canonical_json() -> None:
    data = {"b": 1.0, "a": [1e21, 0.002, "é"], "n": None}
    assert canonical_json(data) == '{"a":[1e+21,0.002,"é"],"b":1,"n":null}'.encode()
    assert fingerprint(data) == ORACLE == hashlib.sha256(canonical_json(data)).hexdigest()


@pytest.mark.parametrize(
    "text",
    [
        "a: [1e21, 0.002, é]\nb: 1.0\nn: null\n",
        "# a comment\nn:\nb: 1\na:\n- 1.0e+21\n- 2e-3\n- 'é'\n",
        '{"n": null, "b": 1, "a": [1e21, .002, "\\u00e9"]}',
        "\ufeffb: +1\r\na: [1000000000000000000000.0, 0.0020, é]   # the same\r\nn: null\r\n",
    ],
)
def test_comments_order_and_layout_do_not_matter(text: str) -> None:
    assert fingerprint(plain_yaml.parse(text.encode()).data) == ORACLE


@pytest.mark.parametrize(
    "text",
    [
        "a: [1e21, 0.002, é]\nb: 2\nn: null\n",
        "a: [1e21, 0.002, e]\nb: 1\nn: null\n",
        "a: [0.002, 1e21, é]\nb: 1\nn: null\n",
        'a: [1e21, 0.002, é]\nb: "1"\nn: null\n',
        "a: [1e21, 0.002, é]\nb: 1\n",
        "a: [1e21, 0.002, é]\nb: 1\nn: false\n",
    ],
)
def test_any_value_matters(text: str) -> None:
    assert fingerprint(plain_yaml.parse(text.encode()).data) != ORACLE
