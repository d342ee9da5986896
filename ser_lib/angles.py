"""One direction per emotion, the angles between them, and classification by smallest angle.

Paper 2 maps "the embedding representations of various emotions … onto a hyperplane", computes "the
angles among them … using the cosine similarity", and classifies by these angles (abstract). How
each emotion gets its one vector is not printed; :func:`class_directions` is one reading, the rows
of the trained softmax layer's weight, which are directions as they stand, are the other.

All functions take tensors, arrays or nested lists and compute in double precision without
gradients, where the given tensors are. Angles are in degrees. Needs torch and NumPy only.
"""

from __future__ import annotations

from typing import Literal, get_args

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

Vectors = Tensor | npt.ArrayLike
Reading = Literal["mean", "unit mean"]

UNKNOWN = -1
"""Answer of :func:`classify` where no class is near enough."""


def class_directions(
    embeddings: Vectors, labels: Vectors, num_classes: int, *, reading: Reading = "mean"
) -> Tensor:
    r"""Direction of each class: where its mean embedding points.

    .. math:: u_k = \frac{m_k}{\lVert m_k \rVert}, \qquad
       m_k = \frac{1}{n_k} \sum_{i: y_i = k} z_i
       \quad\text{("mean") or}\quad
       m_k = \frac{1}{n_k} \sum_{i: y_i = k} \frac{z_i}{\lVert z_i \rVert}
       \quad\text{("unit mean")}

    "mean" lets a long embedding count for more, "unit mean" counts each utterance's direction the
    same; on embeddings of length 1 they agree.

    Args:
        embeddings: of the training set, shape ``(n, dim)``.
        labels: integers in [0, num_classes), shape ``(n,)``.
        num_classes: number of classes.
        reading: ``"mean"`` or ``"unit mean"``.

    Returns:
        Unit vectors, shape ``(num_classes, dim)``.

    Raises:
        ValueError: shapes, labels or the reading do not fit, a number is not finite, a class has
            no utterance, its embeddings cancel out, or (for "unit mean") one of them is zero.

    Example:
        >>> class_directions([[3.0, 0.0], [0.0, 1.0], [0.0, 2.0]], [0, 1, 1], 2).tolist()
        [[1.0, 0.0], [0.0, 1.0]]
    """
    z, y = labelled(embeddings, labels, num_classes, reading)
    means = torch.stack([z[y == k].mean(0) for k in range(num_classes)])
    for k, mean in enumerate(means):
        left, given = mean.abs().max(), z[y == k].abs().max()
        if left <= 1e-12 * given:  # what is left is rounding
            raise ValueError(
                f"the embeddings of class {k} cancel out: the largest number of their mean is "
                f"{left:.3g}, it must be above 1e-12 times their own largest, {given:.3g}"
            )
    return units(means, "the classes' means")


def cosines(embeddings: Vectors, directions: Vectors) -> Tensor:
    r"""Cosine of the angle between each embedding and each direction, as one matrix product.

    .. math:: \cos \theta_{ik} = \frac{z_i \cdot u_k}{\lVert z_i \rVert \lVert u_k \rVert}
       \in [-1, 1]

    Args:
        embeddings: shape ``(n, dim)``.
        directions: vectors of any length, shape ``(num_classes, dim)``.

    Returns:
        Shape ``(n, num_classes)``.

    Raises:
        ValueError: the shapes do not fit, a number is not finite, or a vector is zero.

    Example:
        >>> cosines([[0.0, 5.0]], [[1.0, 0.0], [0.0, 1.0]]).tolist()
        [[0.0, 1.0]]
    """
    z, lengths, u = _pair(embeddings, directions)
    return (z @ u.T / lengths).clamp(-1, 1)


def angles(embeddings: Vectors, directions: Vectors) -> Tensor:
    """Angle in degrees between each embedding and each direction, accurate to about 1e-13.

    The arc cosine of :func:`cosines`, and where that has lost digits, the half-chord form of
    :func:`angle_matrix`. Arguments and errors are those of :func:`cosines`.

    Returns:
        Degrees in [0, 180], shape ``(n, num_classes)``.

    Example:
        >>> angles([[0.0, 5.0], [1.0, 1.0]], [[1.0, 0.0], [0.0, 1.0]]).round().tolist()
        [[90.0, 0.0], [45.0, 45.0]]
    """
    z, lengths, u = _pair(embeddings, directions)
    cosine = (z @ u.T / lengths).clamp(-1, 1)
    degrees = cosine.arccos().rad2deg()
    for k, direction in enumerate(u):
        near = cosine[:, k].abs() > 0.99
        degrees[near, k] = half_chord(z[near] / lengths[near], direction)
    return degrees


def angle_matrix(directions: Vectors) -> Tensor:
    r"""Angle in degrees between each two directions.

    .. math:: \theta_{jk} = 2 \operatorname{atan2}(\lVert u_j - u_k \rVert,
       \lVert u_j + u_k \rVert)

    with unit vectors :math:`u`. The arc cosine of a product cannot tell an angle below a millionth
    of a degree from zero; this form has all its digits near 0 and 180 degrees as well. (Kahan,
    "How futile are mindless assessments of roundoff", 2006, section 12.)

    Args:
        directions: vectors of any length, shape ``(num_classes, dim)``.

    Returns:
        Degrees in [0, 180], symmetric with zeros on its diagonal, shape
        ``(num_classes, num_classes)``.

    Raises:
        ValueError: the shape does not fit, a number is not finite, or a vector is zero.

    Example:
        >>> angle_matrix([[1.0, 0.0], [0.0, 2.0], [-3.0, 0.0]]).round().tolist()
        [[0.0, 90.0, 180.0], [90.0, 0.0, 90.0], [180.0, 90.0, 0.0]]
    """
    u = units(_matrix(directions, "directions"), "directions")
    return torch.stack([half_chord(u, direction) for direction in u])


def classify(embeddings: Vectors, directions: Vectors, *, threshold: float | None = None) -> Tensor:
    """Give each embedding the class whose direction makes the smallest angle with it.

    Among equal angles the first class is taken. With a ``threshold`` the answer is ``UNKNOWN``
    (-1) where even the smallest angle is larger than that.

    Args:
        embeddings: shape ``(n, dim)``.
        directions: vectors of any length, shape ``(num_classes, dim)``.
        threshold: degrees in [0, 180]; see :func:`choose_threshold`.

    Returns:
        Integers, shape ``(n,)``.

    Raises:
        ValueError: as :func:`cosines`, or the threshold is out of its range.

    Example:
        >>> u = [[1.0, 0.0], [0.0, 1.0]]
        >>> classify([[2.0, 1.0], [0.0, 3.0], [-1.0, 0.1]], u).tolist()
        [0, 1, 1]
        >>> classify([[2.0, 1.0], [0.0, 3.0], [-1.0, 0.1]], u, threshold=45).tolist()
        [0, 1, -1]
    """
    if threshold is not None and not 0 <= threshold <= 180:
        raise ValueError(f"threshold is {threshold} degrees, it must lie in [0, 180]")
    z, lengths, u = _pair(embeddings, directions)
    answer = (z @ u.T).argmax(1)  # the length of an embedding changes no order
    if threshold is not None:
        answer[half_chord(z / lengths, u[answer]) > threshold] = UNKNOWN
    return answer


def choose_threshold(
    embeddings: Vectors, labels: Vectors, directions: Vectors, *, share: float = 0.95
) -> float:
    """Quantile ``share`` of the angles between embeddings and their own class, in degrees.

    Between two embeddings it is interpolated, so of few ones a smaller share lies within.
    Meant for validation data: on the data that the network was trained on the angles are smaller
    than on new voices, so a threshold from there answers "unknown" too often.

    Args:
        embeddings: shape ``(n, dim)``.
        labels: integers in [0, num_classes), shape ``(n,)``.
        directions: vectors of any length, shape ``(num_classes, dim)``.
        share: quantile in (0, 1].

    Raises:
        ValueError: as :func:`cosines`, the labels do not fit, or the share is out of its range.

    Example:
        >>> z = [[2.0, 1.0], [0.0, 3.0], [-1.0, 1.0]]
        >>> round(choose_threshold(z, [0, 1, 1], [[1.0, 0.0], [0.0, 1.0]], share=1.0), 6)
        45.0
    """
    if not 0 < share <= 1:
        raise ValueError(f"share is {share}, it must be in (0, 1]")
    z, lengths, u = _pair(embeddings, directions)
    y = _labels(labels, len(z), len(u), z.device)
    return float(half_chord(z / lengths, u[y]).quantile(share))


def classify_by_neighbours(
    embeddings: Vectors, reference: Vectors, labels: Vectors, num_classes: int, *, k: int = 5
) -> Tensor:
    """Give each embedding the class that most of its ``k`` nearest by angle have.

    Among equal angles the earlier reference is nearer, among equal votes the first class wins.

    Args:
        embeddings: shape ``(n, dim)``.
        reference: embeddings of the training set, shape ``(m, dim)``.
        labels: of the reference, integers in [0, num_classes), shape ``(m,)``.
        num_classes: number of classes.
        k: number of neighbours, in [1, m].

    Returns:
        Integers, shape ``(n,)``.

    Raises:
        ValueError: as :func:`cosines`, the labels do not fit, or ``k`` is out of its range.

    Example:
        >>> near, far = [[1.0, 0.1], [1.0, 0.0], [0.1, 1.0]], [[0.0, 1.0]]
        >>> classify_by_neighbours(far, near, [0, 0, 1], 2, k=1).tolist()
        [1]
        >>> classify_by_neighbours(far, near, [0, 0, 1], 2, k=3).tolist()
        [0]
    """
    z, _, r = _pair(embeddings, reference, "reference")
    y = _labels(labels, len(r), num_classes, z.device)
    if not 1 <= k <= len(r):
        raise ValueError(f"k is {k}, it must lie in [1, {len(r)}], the number of the reference")
    nearest = (z @ r.T).argsort(dim=1, descending=True, stable=True)[:, :k]
    return torch.nn.functional.one_hot(y[nearest], num_classes).sum(1).argmax(1)


def half_chord(u: Tensor, v: Tensor) -> Tensor:
    """Angle in degrees between unit vectors, row by row; see :func:`angle_matrix`."""
    half = torch.atan2((u - v).norm(dim=-1), (u + v).norm(dim=-1))
    return (2 * half).rad2deg()


def labelled(
    embeddings: Vectors, labels: Vectors, num_classes: int, reading: str
) -> tuple[Tensor, Tensor]:
    """Embeddings, as the reading takes them, and labels; every class has an utterance.

    Raises:
        ValueError: they do not fit; see :func:`class_directions`.
    """
    if reading not in get_args(Reading):
        raise ValueError(f"reading {reading!r}, known: {', '.join(get_args(Reading))}")
    z = _matrix(embeddings, "embeddings")
    y = _labels(labels, len(z), num_classes, z.device)
    empty = (torch.bincount(y, minlength=num_classes) == 0).nonzero().flatten().tolist()
    if empty:
        raise ValueError(f"of {num_classes} classes {empty} have no utterance, each needs one")
    _refuse_not_finite(z, "embeddings")
    return (units(z, "embeddings") if reading == "unit mean" else z), y


def _pair(embeddings: Vectors, directions: Vectors, name: str = "directions") -> tuple[Tensor, ...]:
    """Embeddings, their lengths as a column, and unit directions of the same dimension."""
    z, u = _matrix(embeddings, "embeddings"), _matrix(directions, name)
    if z.shape[1] != u.shape[1]:
        raise ValueError(f"embeddings of {z.shape[1]} numbers do not fit {name} of {u.shape[1]}")
    return *_measured(z, "embeddings"), units(u, name)


def _matrix(values: Vectors, name: str) -> Tensor:
    if not isinstance(values, Tensor):
        values = torch.from_numpy(np.array(values, dtype=np.float64))
    matrix = values.detach().double()
    if matrix.ndim != 2 or not matrix.numel():
        raise ValueError(f"{name} have shape {tuple(matrix.shape)}, expected (n, dim), not empty")
    return matrix


def units(matrix: Tensor, name: str) -> Tensor:
    """Scale each row to length 1.

    Raises:
        ValueError: a number is not finite, or a row is zero.
    """
    rows, lengths = _measured(matrix, name)
    return rows / lengths


def _measured(matrix: Tensor, name: str) -> tuple[Tensor, Tensor]:
    """Rows and their lengths as a column; rows too long or short to be squared are scaled."""
    lengths = matrix.norm(dim=1, keepdim=True)
    if bool(((lengths > 1e-140) & (lengths < 1e140)).all()):
        return matrix, lengths
    _refuse_not_finite(matrix, name)
    largest = matrix.abs().amax(1, keepdim=True)
    zero = (largest == 0).nonzero()
    if len(zero):
        raise ValueError(
            f"{name}: row {int(zero[0, 0])} has length 0, it must be above 0 to have a direction"
        )
    scaled = matrix / largest
    return scaled, scaled.norm(dim=1, keepdim=True)


def _refuse_not_finite(matrix: Tensor, name: str) -> None:
    bad = (~matrix.isfinite()).nonzero()
    if len(bad):
        row, column = bad[0].tolist()
        raise ValueError(f"{name}: {matrix[row, column]} in row {row} is not finite")


def _labels(labels: Vectors, count: int, num_classes: int, device: torch.device) -> Tensor:
    y = labels if isinstance(labels, Tensor) else torch.from_numpy(np.array(labels))
    if y.dtype.is_floating_point or y.dtype.is_complex or y.dtype == torch.bool:
        raise ValueError(f"labels are {y.dtype}, expected integers")
    if y.shape != (count,):
        raise ValueError(f"labels have shape {tuple(y.shape)}, expected ({count},)")
    strangers = y[(y < 0) | (y >= num_classes)]
    if len(strangers):
        raise ValueError(f"label {int(strangers[0])} does not lie in [0, {num_classes})")
    return y.long().to(device)
