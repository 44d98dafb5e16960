"""A study of one's own, from its protocol to its verdicts: two waves, 2 x 2 arms, quotas, a reversed scale."""

import csv
import shutil
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

PROTOCOL = Path(__file__).with_name("own_study")
CODES = {"N0": "neither", "D1": "diary", "L1": "lamp", "DL": "both"}
GAIN = {"N0": 0, "D1": 1, "L1": 0, "DL": 2}
"""What each arm adds to an item of well-being; both together do more than the sum."""

Forethought = Callable[..., Any]
Rows = Callable[[Path], dict[str, list[tuple[Any, ...]]]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One study as it was run: its folder, who came, what they answered, their arm, and what was said."""

    folder: Path
    arrivals: list[dict[str, str]]
    condition: dict[str, str]
    blinded: str
    results: Any


@pytest.fixture(scope="module")
def run(forethought: Forethought, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """The study as its investigator runs it; every command succeeds."""
    root = tmp_path_factory.mktemp("own")
    study = root / "study"

    def done(*arguments: object) -> Any:
        said = forethought(*arguments)
        assert said.code == 0, said.err
        return said

    done("init", study, "--from", PROTOCOL)
    secret = root / "seeds.txt"
    secret.write_text("".join(f"{sha256(f'own study {wave}'.encode()).hexdigest()}\n" for wave in (1, 2)))
    done("lock", study, "--seed-file", secret)
    arrivals = [person for wave in (1, 2) for person in _arrivals(wave)]
    for wave in (1, 2):
        came = _written(root / f"wave_{wave}.csv", [one for one in arrivals if one["code"][1] == str(wave)])
        done("import", study, came, "--wave", wave)
        done("randomize", study, "--wave", wave)
    done("schedule", study)
    done("assignments", study, root / "hand_over.csv", "--for", "qualtrics")
    with (root / "hand_over.csv").open(encoding="utf-8", newline="") as file:
        condition = {row["ExternalDataReference"]: row["condition"] for row in csv.DictReader(file)}
    done("import", study, _written(root / "answers.csv", [_answers(*one) for one in condition.items()]))
    done("score", study)
    blinded = (
        done("analyze", study, "--json").out + done("status", study).out + done("log", study, "--json").out
    )
    done("freeze", study)
    done("unblind", study, "--by", "A. Person", "--reason", "Everyone has finished")
    results = done("analyze", study, "--json").json
    return Run(folder=study, arrivals=arrivals, condition=condition, blinded=blinded, results=results)


def _arrivals(wave: int) -> list[dict[str, str]]:
    """Thirty people, an hour between any two; the file is in no order."""
    people = [
        {
            "code": f"P{wave}{number:02d}",
            "state": "left" if number % 11 == 5 else "done",
            "came": f"2026-0{wave * 3}-0{2 + number // 24}T{number % 24:02d}:00:00+00:00",
            "sex": "man" if number % 2 else "woman",
            "age group": "old" if number % 4 < 2 else "young",
            "town": "" if number == 7 else ("South" if number % 3 else "North"),
            "age": str(17 + number),
            "site": "abcd"[number * 7 % 4],
        }
        for number in range(30)
    ]
    return sorted(people, key=lambda person: person["code"][::-1])


def _answers(code: str, condition: str) -> dict[str, str]:
    own, gain = sum(map(ord, code)) % 3, GAIN[condition]
    after = 1 + gain
    return {
        "code": code,
        "finished": "2026-07-01T00:00:00Z",
        **{f"w1_{item}": "2" for item in (1, 2, 3)},
        "w2_1": str(after + own),  # people differ by up to two points of nine, so that 1.5 are many SE
        "w2_2": str(after),
        "w2_3": str(6 - after),
        "tired_2": str(8 - 3 * gain // 2 + own % 2),
        "attention": "right",
    }


def _written(path: Path, rows: list[dict[str, str]]) -> Path:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return path


def _expected(arrivals: list[dict[str, str]]) -> Counter[str]:
    """What the quotas of one wave make of those who came, counted by hand."""
    taken: Counter[str] = Counter()
    for one in sorted(arrivals, key=lambda person: person["came"]):
        if one["state"] != "done":
            taken["here"] += 1
        elif int(one["age"]) < 18:
            taken["adult"] += 1
        elif one["sex"] == "man" and taken["man"] >= 6:
            taken["men_full"] += 1
        elif one["town"] == "South" and taken["South"] >= 9:
            taken["south_full"] += 1
        else:
            taken.update(["taken", one["sex"], one["town"]])
    return taken


def test_a_study_of_ones_own_begins_from_its_path(forethought: Forethought, tmp_path: Path) -> None:
    made = forethought("init", tmp_path / "study", "--from", PROTOCOL / "protocol.yaml")
    assert made.code == 0
    assert forethought("check", tmp_path / "study").code == 0


def test_the_materials_that_an_own_protocol_names_come_with_it(
    forethought: Forethought, tmp_path: Path
) -> None:
    forethought("init", tmp_path / "study", "--from", PROTOCOL)
    materials = {path.name: path.read_bytes() for path in (tmp_path / "study" / "materials").iterdir()}
    assert materials == {path.name: path.read_bytes() for path in (PROTOCOL / "materials").iterdir()}


def test_the_database_of_an_own_study_has_its_id_and_waves(
    forethought: Forethought, rows: Rows, tmp_path: Path
) -> None:
    forethought("init", tmp_path / "study", "--from", PROTOCOL)
    held = rows(tmp_path / "study")
    assert dict(held["meta"])["study_id"] == "sleep_diary_factorial"
    assert [row[0] for row in held["waves"]] == [1, 2]


def test_an_own_protocol_with_a_problem_makes_no_folder(forethought: Forethought, tmp_path: Path) -> None:
    text = (PROTOCOL / "protocol.yaml").read_text("utf-8").replace("alpha: 0.05", "alpha: 5")
    (tmp_path / "wrong.yaml").write_text(text, "utf-8")
    said = forethought("init", tmp_path / "study", "--from", tmp_path / "wrong.yaml")
    assert (said.code, (tmp_path / "study").exists()) == (10, False)
    assert "analysis.alpha" in said.err


def test_an_empty_name_is_not_the_protocol_of_the_working_folder(
    forethought: Forethought, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(PROTOCOL)
    assert forethought("init", tmp_path / "study", "--from", "").code == 2


def test_an_own_protocol_is_not_copied_over_a_study(forethought: Forethought, tmp_path: Path) -> None:
    study = tmp_path / "study"
    shutil.copytree(PROTOCOL, study)
    said = forethought("init", study, "--from", PROTOCOL)
    assert (said.code, "not empty" in said.err) == (2, True)
    assert not (study / "study.duckdb").exists()


@pytest.mark.parametrize("wave", [1, 2])
def test_quotas_are_counted_in_each_wave_in_the_order_of_arrival(run: Run, rows: Rows, wave: int) -> None:
    held = rows(run.folder)
    expected = _expected([one for one in run.arrivals if one["code"][1] == str(wave)])
    assert sum(code[1] == str(wave) for code in run.condition) == expected["taken"]
    here = {row[0] for row in held["participants"] if row[1] == wave}
    counted = Counter(row[3] for row in held["exclusions"] if row[0] in here)
    assert dict(counted) == {
        name: expected[name] for name in ("here", "adult", "men_full", "south_full") if expected[name]
    }


def test_nothing_said_before_the_unblinding_tells_whose_arm_is_which(run: Run) -> None:
    assert '"blinded": true' in run.blinded
    assert not any(code in run.blinded for code in run.condition)


def test_the_unblinded_cells_are_those_that_were_handed_over(run: Run) -> None:
    counted = Counter(CODES[code] for code in run.condition.values())
    finding = next(one for one in run.results["findings"] if one["contrast"] == "both_only")
    assert finding["n_by_arm"] == dict(counted)


def test_a_criterion_with_not_and_or_is_judged_by_its_numbers(run: Run) -> None:
    finding = next(one for one in run.results["findings"] if one["contrast"] == "interaction")
    turned, statistic = -finding["estimate"], -finding["statistic"]  # the prediction is `less`
    holds = turned >= 0.5 and (finding["p_adjusted"] < 0.05 or statistic > 3)
    assert (holds, finding["verdict"]) == (True, "corroborated")


def test_the_effect_on_the_reversed_scale_is_three_points_for_each_that_was_given(run: Run) -> None:
    findings = {
        one["contrast"]: one["estimate"]
        for one in run.results["findings"]
        if one["hypothesis"] == "given_helps"
    }
    assert findings["diary_only"] == pytest.approx(3, abs=1.5)
    assert findings["both_only"] == pytest.approx(6, abs=1.5)
