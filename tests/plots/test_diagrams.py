"""The diagrams of ideas show the sizes, places and roles they are given."""

import numpy as np
import pandas as pd
import pytest
from matplotlib.collections import QuadMesh
from matplotlib.figure import Figure

from ser_lib import plots
from tests.figures import assert_house_style


def examples() -> dict[str, Figure]:
    roles = pd.DataFrame([["train", "validate", "test"]], index=["1"], columns=["a", "b", "c"])
    return {
        "kernels_on": plots.diagrams.kernels_on(
            np.ones((40, 188)), [(4, 6), (10, 12)], hop_seconds=0.032
        ),
        "network_diagram": plots.diagrams.network_diagram(40, 188, [(4, 6), (6, 8)], 4),
        "residual_diagram": plots.diagrams.residual_diagram(
            length=390, filters=6, kernel=5, units=200, classes=8
        ),
        "pooling": plots.diagrams.pooling(
            np.arange(16.0).reshape(4, 4), np.ones((2, 2)), [(1, 1), (3, 3)]
        ),
        "fold_map": plots.diagrams.fold_map(roles),
        "winners": plots.diagrams.winners_on(
            {"a": np.eye(6), "b": np.ones((4, 8))},
            {"a": [(1, 1)], "b": [(0, k) for k in range(8)]},
            cut=(2, 2),
        ),
        "pulls": plots.diagrams.pulls(
            {"anger": 0.7, "sadness": -0.7}, np.arange(4.0) - 1, np.eye(4) - 0.5, 6.0
        ),
    }


def test_figures_keep_the_house_style() -> None:
    assert_house_style(examples)


def test_residual_diagram_computes_the_sizes_and_numbers_eleven_layers() -> None:
    figure = plots.diagrams.residual_diagram(length=100, filters=3, kernel=11, units=20, classes=4)
    texts = [text.get_text() for text in figure.axes[0].texts]
    assert texts.count("3 × 90") == 7
    assert {"100", "270", "4", "shortcut"} <= set(texts)
    assert texts.count("20") == 2
    assert {str(number) for number in range(1, 12)} <= set(texts)
    assert "12" not in texts


def test_kernels_are_drawn_at_their_true_size() -> None:
    (axes,) = plots.diagrams.kernels_on(
        np.zeros((40, 100)), [(4, 6), (10, 12)], hop_seconds=0.5
    ).axes
    sizes = [(patch.get_height(), patch.get_width()) for patch in axes.patches]
    assert sizes == [(4, 3.0), (10, 6.0)]
    assert axes.images[0].get_extent() == [0.0, 50.0, -0.5, 39.5]


def test_network_diagram_names_every_size() -> None:
    (axes,) = plots.diagrams.network_diagram(40, 188, [(4, 6), (6, 8), (8, 10), (10, 12)], 7).axes
    words = " ".join(text.get_text() for text in axes.texts).replace("\n", " ")
    for part in ("input 40 × 188", "4 × 6", "10 × 12", "3,200 numbers", "softmax 7", "loss C"):
        assert part in words


def test_pooling_marks_the_winners_and_prints_every_number() -> None:
    values = np.arange(16.0).reshape(4, 4)
    left, right = plots.diagrams.pooling(
        values, np.array([[5.0, 7], [13, 15]]), [(1, 1), (3, 3)]
    ).axes
    assert [patch.get_xy() for patch in left.patches] == [(0.5, 0.5), (2.5, 2.5)]
    assert [text.get_text() for text in left.texts] == [f"{value:g}" for value in range(16)]
    assert [text.get_text() for text in right.texts] == ["5", "7", "13", "15"]


def test_fold_map_colours_the_roles() -> None:
    roles = pd.DataFrame(
        [["train", "validate", "test"], ["train", "test", "validate"]], columns=["a", "b", "c"]
    )
    (axes,) = plots.diagrams.fold_map(roles).axes
    (mesh,) = (item for item in axes.collections if isinstance(item, QuadMesh))
    np.testing.assert_array_equal(np.ravel(mesh.get_array()), [0, 1, 2, 0, 2, 1])
    assert [text.get_text() for text in axes.texts] == ["V", "T", "T", "V"]
    assert [label.get_text() for label in axes.get_xticklabels()] == ["a", "b", "c"]


def test_refusals_name_the_value() -> None:
    with pytest.raises(ValueError, match="'judge'"):
        plots.diagrams.fold_map(pd.DataFrame([["judge"]]))
    with pytest.raises(ValueError, match="no center for emotion 'fear'"):
        plots.embeddings.around_centers(np.zeros((1, 2)), ["fear"], {})


def test_winners_stand_at_column_and_row():
    (axes,) = plots.diagrams.winners_on({"a": np.eye(6)}, {"a": [(1, 4), (5, 0)]}, cut=(3, 2)).axes
    np.testing.assert_array_equal(axes.collections[0].get_offsets(), [[4, 1], [0, 5]])
    across, down = (line.get_xydata() for line in axes.lines)
    assert across[0, 1] == 2.5
    assert down[0, 0] == 1.5


def test_pulls_have_the_lengths_that_they_are_given() -> None:
    bars, numbers, image, _ = examples()["pulls"].axes
    assert [bar.get_width() for bar in bars.patches] == [0.7, -0.7]
    assert [bar.get_height() for bar in numbers.patches] == [-1, 0, 1, 2]
    np.testing.assert_array_equal(image.images[0].get_array(), np.eye(4) - 0.5)
    with pytest.raises(ValueError, match="no colour for emotion 'awe'"):
        plots.diagrams.pulls({"awe": 1.0}, np.ones(2), np.ones((2, 2)), 1.0)
