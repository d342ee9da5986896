"""Rules about printed accuracies, on records whose accuracy is known."""

from itertools import chain

import numpy as np
import pandas as pd
import pytest

from ser_lib.claims.printed import (
    DRAWINGS,
    attainable,
    granularity_fits,
    outranks,
    printed_accuracy,
)
from ser_lib.claims.rules import RULES
from ser_lib.evidence import Evidence, Missing, Protocol, Size
from ser_lib.statistics import bootstrap_mean, bootstrap_pooled
from tests.fakes import vector_run, vectors

FIGURES = ["47.22", "58.33", "55.56", "56.94", "54.16", "61.11", "91.67"]
DRAWS, SIZE = 10, 24  # of 80 utterances


def records_of(share, *, seeds=(0,), protocol="random-70-30", folds=DRAWS, by=None, **settings):
    """Runs whose draws have ``share`` of their answers right, plus a few by draw and seed."""
    data = vectors(sessions=5, takes=2)
    emotions = data.corpus.emotions
    runs, answers = [], []
    for fold in range(folds):
        for seed in seeds:
            config = vector_run(
                data, protocol=protocol, fold=fold, seed=seed, triplet_epochs=0, **settings
            ).canonical()
            flat = {n: getattr(config, n) for n in config.__dataclass_fields__}
            flat = {
                k: ",".join(map(str, v)) if isinstance(v, tuple) else v for k, v in flat.items()
            }
            runs.append({"run": config.identity, **flat})
            right = round(share * SIZE) + fold % 3
            for n in range(SIZE):
                truth = emotions[n % 4]
                said = truth if n < right else emotions[(n + 1) % 4]
                for way in by or ["softmax"]:
                    answers.append(
                        {
                            "run": config.identity,
                            "way": 0,
                            "by": way,
                            "key": f"{n:03}",
                            "truth": truth,
                            "predicted": said,
                        }
                    )
    return runs, answers


def evidence(*parts, seeds=(0,)):
    runs, answers = (pd.DataFrame(chain(*rows)) for rows in zip(*parts, strict=True))
    sizes = {"fake": {"random-70-30": Size(DRAWS, DRAWS * SIZE)}}
    data = vectors(sessions=5, takes=2)
    fixed = {
        name: getattr(vector_run(data), name)
        for name in ("input", "model", "scaling", "optimizer", "learning_rate", "seconds")
    }
    fixed |= {"epochs": 3, "batch_size": 8, "protocol": "random-70-30"}
    fixed["emotions"] = list(data.corpus.emotions)
    records = type("Records", (), {"runs": runs, "predictions": answers})
    return Evidence(records, Protocol(tuple(seeds), sizes, (), fixed))


CLAIM = {"first": {}, "cells": [{"corpus": "fake"}]}


@pytest.mark.parametrize(
    ("value", "outcome"), [(79.0, "holds"), (95.0, "contradicted"), (60.0, "contradicted")]
)
def test_printed_accuracy(value, outcome):
    (cell,) = printed_accuracy({**CLAIM, "value": value}, evidence(records_of(0.75))).cells
    assert cell.outcome == outcome
    expected = np.mean([(18 + fold % 3) / SIZE for fold in range(DRAWS)])
    assert cell.numbers["accuracy"][0] == pytest.approx(expected)
    assert cell.numbers["runs"] == DRAWS


def test_a_figure_at_an_end_that_the_drawing_decides_is_undecided():
    found = evidence(records_of(0.75))
    answers = found.answers(CLAIM["first"] | CLAIM["cells"][0])
    lows = [
        bootstrap_pooled(answers, metric="accuracy_overall", seed=seed).low
        for seed in range(DRAWINGS)
    ]
    assert min(lows) < max(lows)
    for low, outcome in ((min(lows) - 0.01, "contradicted"), (max(lows) + 0.01, "holds")):
        assert printed_accuracy({**CLAIM, "value": 100 * low}, found).cells[0].outcome == outcome
    between = 50 * (min(lows) + max(lows))
    assert printed_accuracy({**CLAIM, "value": between}, found).cells[0].outcome == "undecided"


@pytest.mark.parametrize(("value", "reached"), [(83.33, 3), (79.17, 6), (75.0, 10), (87.5, 0)])
def test_attainable_counts_the_draws_that_reach_it(value, reached):
    (cell,) = attainable({**CLAIM, "value": value}, evidence(records_of(0.75))).cells
    assert cell.numbers["reached"] == reached
    assert cell.numbers["draws"] == DRAWS
    assert cell.outcome == ("holds" if reached else "contradicted")
    assert cell.numbers["accuracies"]["highest"] == pytest.approx(20 / 24)


def test_missing_runs_are_counted():
    found = evidence(records_of(0.75, folds=4))
    for rule in (printed_accuracy, attainable):
        (cell,) = rule({**CLAIM, "value": 50}, found).cells
        assert cell.outcome == "missing"
        assert cell.numbers == {"runs": 4, "runs_needed": DRAWS}
    (cell,) = outranks({**CLAIM, "others": [{"model": "fc"}]}, found).cells
    assert cell.numbers == {"runs": 4, "runs_needed": 2 * DRAWS}


@pytest.mark.parametrize(
    ("ours", "theirs", "outcome"),
    [(0.75, 0.5, "holds"), (0.5, 0.75, "contradicted"), (0.5, 0.5, "undecided")],
)
def test_outranks(ours, theirs, outcome):
    found = evidence(
        records_of(ours), records_of(theirs, model="fc"), records_of(0.25, model="gru")
    )
    claim = {**CLAIM, "others": [{"model": "fc"}, {"model": "gru"}]}
    (cell,) = outranks(claim, found).cells
    assert cell.outcome == outcome
    assert list(cell.numbers["accuracies"]) == ["residual-11", "fc-11", "gru-11"]


def test_seven_figures_do_not_fit_the_stated_split():
    finding = granularity_fits({"figures": FIGURES, "stated": 432}, evidence(records_of(0.5)))
    assert finding.verdict == "not reproduced"
    assert finding.numbers["smallest_size"] == 72
    assert finding.numbers["probability_of_coincidence"] == pytest.approx(6.0**-7)


@pytest.mark.parametrize(
    ("figures", "stated", "verdict"),
    [(FIGURES, 72, "reproduced"), (FIGURES, 100, "not reproduced"), (["50.00"], 4, "reproduced")],
)
def test_figures_that_fit(figures, stated, verdict):
    claim = {"figures": figures, "stated": stated}
    assert granularity_fits(claim, evidence(records_of(0.5))).verdict == verdict


def test_answers_are_told_apart_by_how_they_were_given():
    runs, answers = records_of(0.75, by=["softmax", "angle"])
    for row in answers:
        if row["by"] == "angle":
            row["predicted"] = row["truth"]
    found = evidence((runs, answers))
    both = {by: found.answers({"corpus": "fake", "by": by}) for by in ("softmax", "angle")}
    assert (both["angle"]["truth"] == both["angle"]["predicted"]).all()
    assert found.answers({"corpus": "fake"}).equals(both["softmax"])
    assert set(both["angle"]["part"]) == {f"draw {n}" for n in range(DRAWS)}
    with pytest.raises(ValueError, match="no packed record answers by 'weights'"):
        found.answers({"corpus": "fake", "by": "weights"})


def test_where_speakers_are_shared_an_interval_draws_utterances_with_all_their_answers():
    answers = evidence(records_of(0.75)).answers({"corpus": "fake"})
    right = (answers["truth"] == answers["predicted"]).groupby(answers["speaker"]).mean()
    assert len(right) == SIZE
    (cell,) = printed_accuracy({**CLAIM, "value": 79.0}, evidence(records_of(0.75))).cells
    expected = bootstrap_mean(right.to_frame())
    assert cell.numbers["accuracy"] == pytest.approx(
        [expected.estimate, expected.low, expected.high]
    )


def test_seeds_of_a_condition_replace_those_of_the_protocol():
    found = evidence(records_of(0.75, seeds=(0,)), seeds=(0, 1, 2))
    with pytest.raises(Missing):
        found.answers({"corpus": "fake"})
    assert len(found.answers({"corpus": "fake", "seeds": [0]})) == DRAWS * SIZE


def test_ledger_of_paper_2_asks_for_runs_of_its_plan():
    from ser_lib import claims
    from ser_lib.claims.comparisons import conditions

    ledger = claims.load_ledger("paper2")
    asker = Evidence(None, ledger.protocol)
    asked = set()
    for claim in ledger.claims:
        assert claim["rule"] in RULES
        for where in claim.get("cells", ()):
            sides = [
                {**claim["first"], **where},
                *({**s, **where} for s in claim.get("others", ())),
            ]
            if "second" in claim:
                sides = conditions(claim, where)
            if "vary" in claim:
                sides = [{**sides[0], claim["vary"]: value} for value in claim["values"]]
            for side in sides:
                config = asker.config(side)
                for seed in side.get("seeds", ledger.protocol.seeds):
                    asked.add((config, seed))
    import tomllib
    from itertools import product

    plan = tomllib.loads((ledger.folder / "plan.toml").read_text())
    planned = set()
    for grid in plan["grid"]:
        factors = {k: v if isinstance(v, list) else [v] for k, v in grid.items()}
        for values in product(*factors.values()):
            settings = dict(zip(factors, values, strict=True))
            seed = settings.pop("seed")
            planned.add((asker.config(settings), seed))
    assert asked <= planned


def test_gap_and_draws_of_a_chapter():
    from ser_lib.evidence import effects

    found = evidence(records_of(0.75), records_of(0.5, model="fc"))
    where = {"corpus": "fake"}
    gap = effects.gap(found, where, {**where, "model": "fc"})
    assert gap.interval is not None
    assert gap.interval.estimate == pytest.approx(0.25)
    # Nothing is paired, so that the interval is wider than that of the paired difference.
    paired = effects.difference(found, where, {**where, "model": "fc"}, "accuracy_overall")
    assert paired.interval is not None
    widths = [effect.high - effect.low for effect in (gap.interval, paired.interval)]
    assert widths[0] > 1.2 * widths[1]
    right = effects.right_by_draw(found, where)
    assert sorted(right) == sorted(18 + fold % 3 for fold in range(DRAWS))
    assert effects.right_by_draw(found, {**where, "model": "gru"}).empty
    assert str(effects.gap(found, where, {**where, "model": "gru"})) == "running: 0 of 10 runs"
