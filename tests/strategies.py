"""Shapes that the search layer is tested on."""

from hypothesis import strategies as st

shapes = st.tuples(st.integers(12, 30), st.integers(14, 40))
kernels = st.tuples(st.integers(1, 8), st.integers(1, 8))
cells = st.tuples(st.integers(1, 3), st.integers(1, 3))
