"""The replay inside the process that holds the seeds: for each wave yes or no, and nothing more.

It may be run while the study is blinded: whoever reads the answer learns no arm, and no seed leaves it.
"""

from collections.abc import Mapping

from forethought import deviations, registration
from forethought.errors import NotLocked
from forethought.protocol.folder import StudyFolder
from forethought.verification.records import AllocationRecord
from forethought.verification.replaying import Answer, held_against


def seeds_agree(folder: StudyFolder, record: AllocationRecord) -> Mapping[int, bool | None]:
    """Wave to whether its secret seed gives every allocation and every order that is recorded.

    None where the secrets are not in this folder; False too where they are not those that were committed to.
    """
    waves = sorted(one.wave for one in record.registration.all_seeds)
    if not folder.secrets.is_dir():
        return dict.fromkeys(waves)
    return {wave: _agrees(folder, record, wave) for wave in waves}


def _agrees(folder: StudyFolder, record: AllocationRecord, wave: int) -> bool:
    plan = deviations.planned(record.registration)
    try:
        seed, design = registration.seed(folder, wave), registration.resolved(folder, plan.now, wave)
    except NotLocked:
        return False
    own = record.of_waves(frozenset({wave}))
    return held_against(own, (plan.protocol, *plan.amended), wave, seed, design).answer is Answer.AGREED
