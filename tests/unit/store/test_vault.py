"""Secrets are private, durable before they are relied on, and readable after any crash."""

import stat
from collections.abc import Callable
from itertools import count
from pathlib import Path

import pytest

from forethought.errors import VerificationFailed, WrongUsage
from forethought.protocol.folder import StudyFolder
from forethought.store.vault import Vault


def counting_bytes() -> Callable[[int], bytes]:
    """In the place of chance: each call gives other bytes, the same in each run."""
    numbers = count(1)
    return lambda size: next(numbers).to_bytes(size, "big")


@pytest.fixture
def folder(tmp_path: Path) -> StudyFolder:
    return StudyFolder(tmp_path)


@pytest.fixture
def vault(folder: StudyFolder) -> Vault:
    return Vault.create(folder, counting_bytes())


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_only_the_owner_can_look_into_the_secrets(folder: StudyFolder, vault: Vault) -> None:
    vault.remember({"pa": "someone"})
    vault.keys_for(["pa"])
    assert mode(folder.secrets) == 0o700
    assert {path.name: mode(path) for path in folder.secrets.iterdir()} == dict.fromkeys(
        ("pseudonym.key", "ledger.salt", "study.key", "identities.jsonl", "keys.jsonl"), 0o600
    )


def test_creating_again_keeps_every_key(folder: StudyFolder, vault: Vault) -> None:
    assert Vault.create(folder).pseudonym("someone") == vault.pseudonym("someone")


def test_a_lost_key_is_never_made_anew_in_silence(folder: StudyFolder, vault: Vault) -> None:
    (folder.secrets / "pseudonym.key").unlink()
    with pytest.raises(WrongUsage, match="Restore the secrets folder"):
        Vault.open(folder)


def test_a_pseudonym_is_p_and_sixteen_letters_or_digits(vault: Vault) -> None:
    # printf 5f3a | openssl dgst -sha256 -mac HMAC -macopt hexkey:$(printf '%064d' 1) -binary | base32 | head -c 16
    assert vault.pseudonym("5f3a") == "pyfizbzf7kfssixca"


def test_a_pseudonym_is_the_same_each_time_and_differs_between_people_and_studies(
    vault: Vault, tmp_path: Path
) -> None:
    (tmp_path / "other").mkdir()
    other = Vault.create(StudyFolder(tmp_path / "other"))
    assert vault.pseudonym("a") == vault.pseudonym("a")
    assert len({vault.pseudonym("a"), vault.pseudonym("b"), other.pseudonym("a")}) == 3


def test_identities_are_there_for_the_next_process(folder: StudyFolder, vault: Vault) -> None:
    vault.remember({"pa": "Ärzte 1", "pb": "b"})
    vault.remember({"pb": "b", "pc": "c"})
    assert Vault.open(folder).identities() == {"pa": "Ärzte 1", "pb": "b", "pc": "c"}


def test_remembering_again_writes_nothing(folder: StudyFolder, vault: Vault) -> None:
    vault.remember({"pa": "a"})
    before = (folder.secrets / "identities.jsonl").read_bytes()
    Vault.open(folder).remember({"pa": "a"})
    assert (folder.secrets / "identities.jsonl").read_bytes() == before


def test_a_last_line_that_a_crash_cut_off_is_dropped_and_cut_away(folder: StudyFolder, vault: Vault) -> None:
    vault.remember({"pa": "a"})
    file = folder.secrets / "identities.jsonl"
    whole = file.read_bytes()
    for cut in range(1, len(whole)):
        file.write_bytes(whole + whole[:cut])
        again = Vault.open(folder)
        assert again.identities() == {"pa": "a"}
        again.remember({"pb": "b"})
        assert Vault.open(folder).identities() == {"pa": "a", "pb": "b"}
        file.write_bytes(whole)


def test_a_damaged_line_in_the_middle_is_an_error(folder: StudyFolder, vault: Vault) -> None:
    vault.remember({"pa": "a"})
    file = folder.secrets / "identities.jsonl"
    file.write_bytes(b'{"participant_id": "p\n' + file.read_bytes())
    with pytest.raises(VerificationFailed, match=r"identities\.jsonl: a line of it is damaged"):
        Vault.open(folder).identities()


def test_of_two_processes_that_make_one_persons_key_the_first_wins(folder: StudyFolder, vault: Vault) -> None:
    other = Vault.open(folder)
    assert other.identities() == {}
    vault.keys_for(["pa"])
    nonce, ciphertext = vault.seal("pa", b"row")
    other.keys_for(["pa"])
    assert other.unseal("pa", nonce, ciphertext) == b"row"
    assert (folder.secrets / "keys.jsonl").read_bytes().count(b"\n") == 1


@pytest.mark.parametrize("participant", ["pa", None])
def test_a_sealed_row_opens_in_the_next_process(
    folder: StudyFolder, vault: Vault, participant: str | None
) -> None:
    nonce, ciphertext = vault.seal(participant, b'{"condition":"coach"}')
    assert b"coach" not in ciphertext
    assert Vault.open(folder).unseal(participant, nonce, ciphertext) == b'{"condition":"coach"}'


def test_no_two_rows_are_sealed_alike(vault: Vault) -> None:
    assert vault.seal("pa", b"row") != vault.seal("pa", b"row")


def test_an_altered_row_does_not_open(vault: Vault) -> None:
    nonce, ciphertext = vault.seal("pa", b"row")
    with pytest.raises(VerificationFailed, match="payload of pa: it is not what was sealed"):
        vault.unseal("pa", nonce, ciphertext[:-1] + bytes([ciphertext[-1] ^ 1]))


def test_a_row_does_not_open_as_another_persons(vault: Vault) -> None:
    vault.keys_for(["pa", "pb"])
    nonce, ciphertext = vault.seal("pa", b"row")
    for other in ("pb", None):
        with pytest.raises(VerificationFailed):
            vault.unseal(other, nonce, ciphertext)


def test_a_row_whose_key_is_gone_stays_closed(folder: StudyFolder, vault: Vault) -> None:
    nonce, ciphertext = vault.seal("pa", b"row")
    (folder.secrets / "keys.jsonl").unlink()
    with pytest.raises(VerificationFailed, match="this participant has no key"):
        Vault.open(folder).unseal("pa", nonce, ciphertext)


def test_the_hash_of_a_row_needs_the_studys_salt(vault: Vault, tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    other = Vault.create(StudyFolder(tmp_path / "other"))
    assert vault.row_hash(b"row") == vault.row_hash(b"row")
    assert vault.row_hash(b"row") != other.row_hash(b"row")
