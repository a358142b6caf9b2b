"""How far arms are alike before any answer: arms of one family share what answers say of them.

An effort of a model is another arm and no other model, so an answer of one effort says most of its
neighbours. How far arms are in truth apart is found from answers; this only says which arms.
"""

from collections.abc import Mapping, Sequence

import numpy as np

from learner.posterior import Matrix
from learner.traits import ArmTraits

_NEIGHBOURS = 0.8  # how far two neighbouring efforts of one model are alike
_FAMILY = 0.6  # the same of two plans of one model that differ in something else


def alike(arms: Sequence[str], traits: Mapping[str, ArmTraits]) -> Matrix | None:
    """The likeness of each two arms, from 0 to 1; None if no arm has a relative."""
    of_arms = [traits.get(arm, ArmTraits()) for arm in arms]
    families = [its.family for its in of_arms if its.family]
    if len(set(families)) == len(families):
        return None
    likeness = [[_likeness(a, b) for b in of_arms] for a in of_arms]
    matrix = np.array(likeness)
    np.fill_diagonal(matrix, 1.0)
    return matrix


def _likeness(a: ArmTraits, b: ArmTraits) -> float:
    if not a.family or a.family != b.family:
        return 0.0
    if a.effort is None or b.effort is None:
        return _FAMILY
    if a.effort == b.effort:
        return _NEIGHBOURS
    return float(_NEIGHBOURS ** abs(a.effort - b.effort))
