"""Options of `fit` that do not belong together, or name what is not there: where, what, what to do."""

from collections.abc import Callable
from typing import Any, get_args

import pytest

from forethought.analysis.emmeans import Adjustment, FamilyName
from forethought.analysis.inference import DdfMethod
from forethought.analysis.lmm.intervals import IntervalMethod
from forethought.cli import single

Fit = Callable[..., Any]

REFUSED = {
    "--ml --ddf kenward-roger": "--ddf: Kenward and Roger's degrees of freedom need a fit by REML",
    "--contrasts pairwise": "--contrasts: there are no marginal means. Add --emmeans",
    "--by arm": "--by: there are no marginal means. Add --emmeans",
    "--at tnum=1": "--at: there are no marginal means. Add --emmeans",
    "--adjust holm": "--adjust: there are no contrasts to adjust. Add --contrasts",
    "--emmeans arm --adjust holm": "--adjust: there are no contrasts to adjust. Add --contrasts",
    "--emmeans ,arm": "--emmeans: a name is empty",
    "--emmeans arm --by arm": "--emmeans: arm is named twice. Name it once, here or in --by",
    "--emmeans arm --at tnum": "--at: `tnum` is not a name and its value. Write it as --at age=20,30",
    "--emmeans arm --at tnum=": "--at: `tnum=` is not a name and its value",
    "--emmeans arm --at tnum=1 --at tnum=2": "--at: `tnum` is given twice",
    "--coding arm": "--coding: `arm` is not a name and its value",
    "--coding arm=dummy": "--coding: there is no coding `dummy`. Take treatment, sum, helmert, poly",
    "--coding tnum=sum": "--coding: `tnum` of the contrasts is numeric. Write C(tnum, Sum) in the formula",
    "--coding pid=sum": "--coding: `pid` of the contrasts is no factor of the fixed effects",
    "--reference arm=D": "--reference: `arm` has no level D. Its levels are A_control, B_warm, C_firm",
    "--reference tnum=1": "--reference: `tnum` is numeric. Write C(tnum, Treatment(1)) in the formula",
    "--reference site=a": "--reference: the data have no column `site`. The columns are pid",
    "--reference pid=p000000": "--reference: `pid` is no factor of the fixed effects. They have arm",
    "--anova 4": "Invalid value for '--anova'",
    "--ddf residual": "Invalid value for '--ddf'",
    "--adjust guess": "Invalid value for '--adjust'",
}


@pytest.mark.parametrize("options", REFUSED)
def test_what_makes_no_sense_is_wrong_usage(fit: Fit, options: str) -> None:
    told = fit(*options.split())
    assert (told.code, told.out) == (2, "")
    assert REFUSED[options] in told.err


def test_kenward_and_roger_with_ml_is_refused_before_the_file_is_read(fit: Fit, file: Fit) -> None:
    told = fit("--ml", "--ddf", "kenward-roger", data=file(""))
    assert told.err.startswith("--ddf: ")


@pytest.mark.parametrize(
    ("options", "what"),
    [
        ("--emmeans tnum --contrasts pairwise", "there is one mean"),
        ("--emmeans site", "the fixed effects have no variable site"),
        ("--emmeans arm --at arm=D", "`arm` has no level D"),
        ("--emmeans arm --at tnum=late", "`tnum` is a number"),
        ("--weights site", "the data have no column `site`"),
        ("--weights tnum", "of the weights `tnum` are zero or below"),
    ],
)
def test_what_the_model_does_not_have_cannot_be_fitted(fit: Fit, options: str, what: str) -> None:
    told = fit(*options.split())
    assert (told.code, told.out) == (15, "")
    assert what in told.err


def test_a_reference_that_only_incomplete_rows_have_is_refused(fit: Fit, file: Fit) -> None:
    rows = ["1,a,g", "2,a,g", "3,b,h", "5,b,h", "4,b,g", "2,a,h", ",c,h"]
    data = file("\n".join(["y,arm,g", *rows]))
    told = fit("--reference", "arm=c", data=data, formula="y ~ arm + (1 | g)")
    assert "--reference: no complete row has the level c of `arm`. Take one of a, b." in told.err


@pytest.mark.parametrize(
    ("offered", "known"),
    [(single.ContrastsName, FamilyName), (single.AdjustName, Adjustment)],
)
def test_the_command_offers_every_name_that_the_analysis_knows(offered: Any, known: Any) -> None:
    assert get_args(offered) == get_args(known)


@pytest.mark.parametrize(
    ("offered", "known"), [(single.DdfName, DdfMethod), (single.IntervalName, IntervalMethod)]
)
def test_the_command_offers_no_name_that_the_analysis_does_not_know(offered: Any, known: Any) -> None:
    assert set(get_args(offered)) < set(get_args(known))
