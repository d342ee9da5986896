"""The figures of triplets draw the numbers they are given."""

import numpy as np
import pytest
from matplotlib.collections import PathCollection
from matplotlib.patches import Circle, StepPatch

from ser_lib import plots
from tests.figures import assert_house_style

POINTS = np.array([[0.0, 0.0], [3.0, 0.0], [0.0, 4.0]])


def marks(axes):
    return [np.asarray(c.get_offsets()) for c in axes.collections if isinstance(c, PathCollection)]


def examples():
    return {
        "one triplet": plots.triplets.one_triplet(POINTS, POINTS / 4, 2.0, ("anger", "sadness")),
        "zones": plots.triplets.zones(1.0, [0.5, 1.2, 3.0], 0.5),
        "steps": plots.triplets.steps([2.0, 1.0], [1.7, 0.2, 5.0], 0.5),
        "shares": plots.triplets.shares(
            {"first": {"hard": 0.25, "easy": 0.75}, "last": {"easy": 1.0}}
        ),
    }


def test_figures_keep_the_house_style():
    assert_house_style(examples)


def test_one_triplet_draws_points_circles_and_moves():
    (axes,) = examples()["one triplet"].axes
    np.testing.assert_array_equal(np.concatenate(marks(axes)), POINTS)
    assert [c.radius for c in axes.patches if isinstance(c, Circle)] == [3, 5]
    ends = [text.xy for text in axes.texts if getattr(text, "arrow_patch", None)]
    np.testing.assert_array_equal(ends, 1.25 * POINTS)
    with pytest.raises(ValueError, match=r"\(2, 2\)"):
        plots.triplets.one_triplet(POINTS[:2], POINTS, 2.0, ("anger", "sadness"))


def test_zones_end_at_positive_and_limit():
    (axes,) = examples()["zones"].axes
    positive, negatives = marks(axes)
    assert positive[:, 0].tolist() == [1.0]
    assert negatives[:, 0].tolist() == [0.5, 1.2, 3.0]
    assert [line.get_xdata()[0] for line in axes.lines] == [1.0, 1.5]


def test_steps_count_the_limits_beyond_and_shade_what_is_paid():
    (axes,) = examples()["steps"].axes
    # Limits at 1.5 and 2.5: beyond 1.7 lies one, beyond 0.2 both, beyond 5 none.
    assert marks(axes)[0].tolist() == [[1.7, 1], [0.2, 2], [5.0, 0]]
    line, area = (patch.get_data() for patch in axes.patches if isinstance(patch, StepPatch))
    assert line.values.tolist() == [2, 1, 0]
    assert line.edges[1:3].tolist() == [1.5, 2.5]
    assert (area.values * np.diff(area.edges)).sum() == pytest.approx(2.5 - 1.7)
    with pytest.raises(ValueError, match="0 positives"):
        plots.triplets.steps([], [1.0], 0.5)


def test_shares_fill_the_bars():
    (axes,) = examples()["shares"].axes
    widths = [[bar.get_width() for bar in bars] for bars in axes.containers]
    assert widths == [[0.25, 0.0], [0.0, 0.0], [0.75, 1.0]]
    with pytest.raises(ValueError, match="'simple'"):
        plots.triplets.shares({"first": {"simple": 1.0}})
