"""An export on its way in: its people under pseudonyms, its rows sealed, before the database is opened."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from json.encoder import encode_basestring
from operator import add

import pandas as pd

from forethought.protocol.imports import Conversations, Ratings
from forethought.protocol.measures import Rated
from forethought.protocol.protocol import Protocol
from forethought.schemas.exports.checking import Parsed, refusals, together
from forethought.schemas.exports.parsing import parse
from forethought.schemas.exports.reading import Export
from forethought.schemas.exports.recognition import Recognised
from forethought.schemas.exports.table import person_ids
from forethought.store.vault import Vault

_LONGEST_SHOWN = 40
_MAY_NAME_SOMEBODY = r"@|[0-9a-fA-F]{24}|\d{1,3}(?:\.\d{1,3}){3}|://"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Arrival:
    """What a file says, and what is kept of it whatever becomes of its rows.

    `recognised` and `parsed` hold pseudonyms for participants. `sealed` is indexed by row number: raw_row_id,
    participant_id (NaN where the row names nobody), nonce, ciphertext, row_hash. `at` is naive UTC.
    """

    protocol: Protocol
    recognised: Recognised
    parsed: Parsed
    sealed: pd.DataFrame
    wave: int
    at: datetime

    @property
    def raw_row_ids(self) -> pd.Series:
        """The id of each raw row, by row number."""
        return self.sealed["raw_row_id"]


def receive(
    recognised: Recognised,
    protocol: Protocol,
    vault: Vault,
    known: Iterable[str],
    *,
    wave: int,
    now: datetime,
) -> Arrival:
    """Read the export under pseudonyms and seal each of its rows; `known` are the study's participants.

    Identities and keys are on the disk when this returns; the database is not touched.
    """
    came = recognised.export
    named = _named(recognised)
    people = _pseudonyms(named, vault, frozenset(known))
    hidden = replace(recognised, export=_under_pseudonyms(recognised, people))
    rated = {outcome.id: outcome for outcome in protocol.outcomes if isinstance(outcome, Rated)}
    parsed = parse(hidden, rated)
    telling = _telling_keys(recognised, named)
    refused = _without_secrets(together([telling, parsed.refused]), recognised, named, protocol)
    stands = ~parsed.rows.index.isin(telling["row_number"])
    return Arrival(
        protocol=protocol,
        recognised=hidden,
        parsed=Parsed(rows=parsed.rows.loc[stands], answers=parsed.answers.loc[stands], refused=refused),
        sealed=_seal(came, people, vault),
        wave=wave,
        at=now.astimezone(UTC).replace(tzinfo=None),
    )


def raw_row_prefix(sha256: str) -> str:
    """What the ids of a file's raw rows begin with."""
    return sha256[:16]


def _named(recognised: Recognised) -> pd.Series:
    """The participant's id in each row as the source has it; NaN where the row names nobody."""
    if isinstance(recognised.mapping, Ratings):
        return pd.Series(pd.NA, index=recognised.export.cells.index, dtype="str")
    return person_ids(recognised.export, recognised.mapping)


def _pseudonyms(named: pd.Series, vault: Vault, known: frozenset[str]) -> pd.Series:
    """Each row's pseudonym. An id that is one of the study's own pseudonyms stands for itself.

    Platforms that deliver conditions know people by the pseudonym that `assignments` hands them.
    """
    identities = {source_id: vault.pseudonym(source_id) for source_id in named.dropna().unique()}
    vault.remember({own: source_id for source_id, own in identities.items() if source_id not in known})
    people = {source_id: source_id if source_id in known else own for source_id, own in identities.items()}
    vault.keys_for(people.values())
    return named.map(people).astype("str")


def _under_pseudonyms(recognised: Recognised, people: pd.Series) -> Export:
    """The export with pseudonyms in the participant's column, so that no variable can bring ids in."""
    export = recognised.export
    if isinstance(recognised.mapping, Ratings):
        return export
    column = export.named(recognised.mapping.participant)
    return replace(export, cells=export.cells.assign(**{column: people.fillna("")}))


def _telling_keys(recognised: Recognised, named: pd.Series) -> pd.DataFrame:
    """Rows whose conversation id, which is stored as it is, holds the id of the participant."""
    if not isinstance(recognised.mapping, Conversations):
        return refusals([])
    column = recognised.export.named(recognised.mapping.conversation)
    pairs = pd.DataFrame({"key": recognised.export.cells[column], "person": named}).dropna()
    unique = pairs.drop_duplicates()
    telling = {key for key, person in unique.itertuples(index=False) if person in key}
    rows = pairs.index[pairs["key"].isin(telling)]
    return refusals(rows, column=column, reason="the conversation's id holds the participant's id")


def _without_secrets(
    refused: pd.DataFrame, recognised: Recognised, named: pd.Series, protocol: Protocol
) -> pd.DataFrame:
    """The refusals without values that may name somebody or reveal an arm; the payload keeps them."""
    if refused.empty:
        return refused
    secret = set(named.dropna()) | _arms(recognised, protocol)
    values = refused["value"].str.strip()
    telling = values.isin(secret) | (values.str.len() > _LONGEST_SHOWN)
    telling |= values.str.contains(re.compile(_MAY_NAME_SOMEBODY)).fillna(value=False).astype(bool)
    return refused.assign(value=refused["value"].mask(telling))


def _arms(recognised: Recognised, protocol: Protocol) -> set[str]:
    words = {word for arm in protocol.arms for word in (arm.id, arm.code, arm.label)}
    mapping = recognised.mapping
    if isinstance(mapping, Conversations):
        for column in (mapping.received, *mapping.sealed):
            if column is not None:
                words.update(recognised.export.column(column).str.strip())
    return words


def _seal(export: Export, people: pd.Series, vault: Vault) -> pd.DataFrame:
    """Every raw row as it came, under the key of the person whom it names."""
    prefix = raw_row_prefix(export.sha256)
    owners = people.astype(object).where(people.notna(), None).tolist()
    texts = list(rows_as_json(export))
    sealed = [vault.seal(owner, text) for owner, text in zip(owners, texts, strict=True)]
    index = export.cells.index
    return pd.DataFrame(
        {
            "raw_row_id": pd.Series([f"{prefix}:{number}" for number in index], index=index, dtype="str"),
            "participant_id": people,
            "nonce": pd.Series([nonce for nonce, _ in sealed], index=index, dtype=object),
            "ciphertext": pd.Series([ciphertext for _, ciphertext in sealed], index=index, dtype=object),
            "row_hash": pd.Series([vault.row_hash(text) for text in texts], index=index, dtype="str"),
        }
    )


def rows_as_json(export: Export) -> Iterator[bytes]:
    """Each row as the canonical JSON (RFC 8785) of its cells by column.

    The same bytes as `files.canonical_json` of each row, ten times faster: the columns are ordered once, and
    text has only one way to be written.
    """
    order = sorted(export.header, key=lambda column: column.encode("utf-16-be"))
    names = [f"{encode_basestring(column)}:" for column in order]
    for row in zip(*(export.cells[column].tolist() for column in order), strict=True):
        yield f"{{{','.join(map(add, names, map(encode_basestring, row)))}}}".encode()
