"""The figures of the book, by what they show.

A function that draws a figure returns it closed: as the last line of a cell it is shown once, and
nothing outside the call is changed (no global style, no current figure). Backgrounds are opaque and
light, so that the figures read in the dark theme too; emotions keep one colour and one marker.
"""

from ser_lib.plots import (
    angles,
    chance,
    diagrams,
    effects,
    embeddings,
    results,
    speech,
    spheres,
    triplets,
)

__all__ = [
    "angles",
    "chance",
    "diagrams",
    "effects",
    "embeddings",
    "results",
    "speech",
    "spheres",
    "triplets",
]
