"""Directions are placed on a sphere as well as three dimensions can, and drawn as given."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ser_lib import plots
from ser_lib.angles import angle_matrix
from tests.figures import assert_house_style
from tests.plots.test_angles import EIGHT, FOUR, RIGHT, matrix, texts


def examples():
    eight = matrix(8, 20)
    three = {"a": (matrix(4, 3), FOUR), "b": (eight, EIGHT), "c": (eight, EIGHT)}
    return {
        "three spheres": plots.spheres.spheres(three),
        "one sphere": plots.spheres.spheres({"a": (matrix(2, 3), FOUR[:2])}),
    }


def test_figures_keep_the_house_style():
    assert_house_style(examples)


@given(st.integers(0, 999), st.integers(2, 6), st.integers(2, 3))
def test_what_fits_on_a_sphere_is_placed_exactly(seed, count, dim):
    given_angles = matrix(count, dim, seed)
    places, stress = plots.spheres.on_sphere(given_angles)
    assert stress < 1e-3
    np.testing.assert_allclose(np.linalg.norm(places, axis=1), 1)
    np.testing.assert_allclose(angle_matrix(places), given_angles, atol=0.5)
    assert places.mean(axis=0)[2] >= -1e-9
    assert abs(places.mean(axis=0)[:2]).max() < 1e-6


def test_stress_is_that_of_the_drawn_angles_and_no_worse_than_the_classical_start():
    for seed in range(3):
        given_angles = matrix(8, 20, seed)
        places, stress = plots.spheres.on_sphere(given_angles)
        upper = np.triu_indices(8, 1)
        size = np.linalg.norm(given_angles[upper])
        drawn = angle_matrix(places).numpy()
        assert stress == pytest.approx(np.linalg.norm((drawn - given_angles)[upper]) / size)
        values, vectors = np.linalg.eigh(np.cos(np.radians(given_angles)))
        start = angle_matrix(vectors[:, -3:] * np.sqrt(values[-3:])).numpy()
        assert 0.05 < stress < np.linalg.norm((start - given_angles)[upper]) / size


def test_eight_right_angles_do_not_fit():
    right = 90 * (1 - np.eye(8))
    _, stress = plots.spheres.on_sphere(right)
    assert stress > 0.15
    _, three = plots.spheres.on_sphere(right[:3, :3])
    assert three < 1e-6


def test_equal_and_opposite_directions_are_drawn():
    places, stress = plots.spheres.on_sphere(np.zeros((3, 3)))
    assert stress == 0
    assert angle_matrix(places).max() < 0.1
    places, stress = plots.spheres.on_sphere([[0, 180], [180, 0]])
    assert stress < 1e-3
    assert abs(places[:, 2]).max() < 1e-2  # across, not one behind the other


def test_spheres_name_the_emotions_and_the_angles_given():
    angles = matrix(4, 20, 3)
    (axes,) = plots.spheres.spheres({"one": (angles, FOUR)}).axes
    assert axes.get_title() == "one"
    upper = angles[np.triu_indices(4, 1)]
    assert sorted(texts(axes)) == sorted([*FOUR, *(f"{value:.0f}°" for value in upper)])


def test_many_emotions_are_joined_to_their_nearest_only():
    angles = matrix(8, 20, 4)
    (axes,) = plots.spheres.spheres({"one": (angles, EIGHT)}).axes
    nearest = {f"{row[row > 0].min():.0f}°" for row in angles}
    assert {text for text in texts(axes) if text.endswith("°")} == nearest


def test_the_far_side_is_hollow():
    tetrahedron = np.degrees(np.arccos(-1 / 3)) * (1 - np.eye(4))
    (axes,) = plots.spheres.spheres({"one": (tetrahedron, FOUR)}).axes
    places, stress = plots.spheres.on_sphere(tetrahedron)
    assert stress < 1e-6
    marks = [line for line in axes.lines if line.get_marker() not in ("None", None)]
    assert len(marks) == 4
    for line, place in zip(marks, places, strict=True):
        np.testing.assert_allclose(np.ravel(line.get_xydata()), place[:2])
        assert (line.get_markerfacecolor() == "white") == (place[2] < 0)
    assert {line.get_markerfacecolor() == "white" for line in marks} == {True, False}


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: plots.spheres.spheres({}), "no panel"),
        (lambda: plots.spheres.spheres({"a": (RIGHT, ["anger", "envy"])}), "'envy'"),
        (lambda: plots.spheres.spheres({"a": (RIGHT, FOUR)}), r"\(2, 2\), expected \(4, 4\)"),
        (lambda: plots.spheres.on_sphere([[0.0]]), "2 or more"),
        (lambda: plots.spheres.on_sphere([[0, 181], [181, 0]]), "181.0 degrees.*in \\[0, 180\\]"),
        (lambda: plots.spheres.on_sphere([[0, np.nan], [1, 0]]), "nan degrees"),
        (lambda: plots.spheres.on_sphere([[0, 1], [2, 0]]), "not symmetric"),
    ],
)
def test_refuses(call, message):
    with pytest.raises(ValueError, match=message):
        call()
