"""What may be concluded from few speakers and few seeds, and what printed figures imply."""

from ser_lib.statistics.granularity import attainable, by_luck, counts, sizes
from ser_lib.statistics.intervals import (
    Interval,
    Metric,
    bootstrap_difference,
    bootstrap_mean,
    bootstrap_pooled,
    draw_mean,
    draw_pooled,
    one_sided_p,
    percentiles,
    verdict,
)
from ser_lib.statistics.significance import (
    Test,
    cliffs_delta,
    cohens_d,
    corrected_t_test,
    equivalence_test,
    holm,
    probability_of_superiority,
    wilson,
)

__all__ = [
    "Interval",
    "Metric",
    "Test",
    "attainable",
    "bootstrap_difference",
    "bootstrap_mean",
    "bootstrap_pooled",
    "by_luck",
    "cliffs_delta",
    "cohens_d",
    "corrected_t_test",
    "counts",
    "draw_mean",
    "draw_pooled",
    "equivalence_test",
    "holm",
    "one_sided_p",
    "percentiles",
    "probability_of_superiority",
    "sizes",
    "verdict",
    "wilson",
]
