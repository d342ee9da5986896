"""Rules without a comparison of runs."""

import json

import pytest

from ser_lib import claims
from tests.claims.ledgers import entry


@pytest.mark.parametrize(
    ("low", "high", "verdict"),
    [(1.0, 1.05, "reproduced"), (1.2, 1.4, "not reproduced"), (1.05, 1.2, "undecided")],
)
def test_no_overhead(house, low, high, verdict):
    root = house(entry("claim", rule="no_overhead", objective="S+C", smallest=1.1))
    path = root / "results/paper1/steps.json"
    ratio = {"ratio": low, "low": low, "high": high}
    rows = [
        {"objective": "S", "milliseconds": 9.0},
        {"objective": "S+C", "milliseconds": 10.0, "against_softmax": ratio},
    ]
    assert claims.update("paper1", root)["claims"]["claim"]["verdict"] == "open"
    path.write_text(json.dumps({"rows": rows}))
    judged = claims.update("paper1", root)["claims"]["claim"]
    assert judged == {"verdict": verdict, "numbers": {"milliseconds": 10.0, **ratio}}
    path.write_text('{"rows": [{"objective": "S+C"}]}')
    with pytest.raises(ValueError, match=r"steps\.json.*milliseconds"):
        claims.update("paper1", root)
    for wrong in ([rows[1], rows[1]], [{"objective": "S+C", "milliseconds": 1.0}]):
        path.write_text(json.dumps({"rows": wrong}))
        with pytest.raises(ValueError, match=r"claim: the timings of S\+C are not one ratio"):
            claims.update("paper1", root)


@pytest.mark.parametrize(
    ("given", "verdict"),
    [
        ({"rule": "parameters", "inputs": [[40, 188]], "millions": 0.26}, "reproduced"),
        ({"rule": "parameters", "inputs": [[40, 188]], "millions": 0.3}, "not reproduced"),
        (
            {
                "rule": "parameters", "inputs": [[40, 188]], "millions": 0.26,
                "reference": 0.69, "per_cent": 50,
            },
            "not reproduced",
        ),
        ({"rule": "arithmetic", "differences": [[3, 1, 2]], "tolerance": 0.1}, "reproduced"),
        ({"rule": "arithmetic", "differences": [[3, 1, 1]], "tolerance": 0.1}, "not reproduced"),
        ({"rule": "shares", "shares": {"neu": 48.2, "sad": 26.7}}, "reproduced"),
        ({"rule": "shares", "shares": {"neu": 48.8, "sad": 26.7}}, "partly"),
        ({"rule": "shares", "shares": {"neu": 60.0, "sad": 26.7}}, "not reproduced"),
        ({"rule": "rounds_to", "known": 5.7, "value": 6, "source": "x"}, "reproduced"),
        ({"rule": "rounds_to", "known": 5.2, "value": 6, "source": "x"}, "not reproduced"),
        ({"rule": "not_testable", "reason": "no corpus"}, "not testable here"),
        ({"rule": "inference_time", "microseconds": 30}, "open"),
    ],
)  # fmt: skip
def test_rules_without_runs(house, given, verdict):
    root = house({**entry("claim"), **given})
    assert claims.update("paper1", root)["claims"]["claim"]["verdict"] == verdict
    assert claims.check(root) == []


@pytest.mark.parametrize(
    ("batch", "device", "microseconds", "verdict"),
    [
        (1, "cpu", 55, "reproduced"),
        (64, "cpu", 55, "partly"),
        (1, "cuda", 20, "partly"),
        (1, "cpu", 500, "open"),
    ],
)
def test_inference_time(house, batch, device, microseconds, verdict):
    root = house(entry("claim", rule="inference_time", microseconds=30))
    row = {"batch": batch, "device": device, "microseconds": microseconds, "features": False}
    (root / "results/paper1/inference.json").write_text(json.dumps({"rows": [row]}))
    assert claims.update("paper1", root)["claims"]["claim"]["verdict"] == verdict
    if verdict == "open":  # both devices were too slow
        slow = [row, {**row, "device": "cuda"}]
        (root / "results/paper1/inference.json").write_text(json.dumps({"rows": slow}))
        assert claims.update("paper1", root)["claims"]["claim"]["verdict"] == "not reproduced"
    (root / "results/paper1/inference.json").write_text('{"rows": [{"batch": 1}]}')
    with pytest.raises(ValueError, match=r"inference\.json.*device"):
        claims.update("paper1", root)
