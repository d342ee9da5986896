"""What chapters may say of numbers and verdicts."""

import pytest
import yaml

from ser_lib.claims import prose
from tests.claims.ledgers import chapter


@pytest.mark.parametrize(
    "text",
    [
        "On our records S+C reaches 75.2 % of the utterances.",
        "It gains 4.9 points.",
        "a class accuracy of 71",
        "UA = 66.0 for S",
        "71.3 UA and more",
        "Paper 1 prints 73.4 %, we measured 70.9 % (Table 1).",
        "Errors fell by **12** per cent.",
        "| S+C | 66.1 % |",
        "Class accuracy rises from 61 to 71.",
        "an accuracy above 70",
        "accuracies between 61 and 70",
        "| S+C | 70.9 | 66.1 |",
        "a mean recall of 0.752",
        "compactness is 0.32, and small",
        "The ratio is 1.37 (1.1 to 1.6).",
    ],
)
def test_typed_metrics_are_found(text):
    assert prose.typed(text, {73.4})


@pytest.mark.parametrize(
    "text",
    [
        "S+C reaches {glue:text}`ua:.1f` % on three seeds.",
        "Paper 1 prints an overall accuracy of 73.4 % (its Table 1).",
        "The 95 % interval of the difference, and the middle 95 % of draws.",
        "Class accuracy counts 4 emotions; 40 coefficients and 188 frames are the input.",
        "`dropout=50 %` in code",
        "Overall accuracy (often WA) counts recordings.",
        "A ratio near 1 shows nothing, and one above 1 little.",
        "| 4 | 256 | {glue:text}`sweep` |",
    ],
)
def test_what_may_stand(text):
    assert prose.typed(text, {73.4}) == []


def test_a_typed_metric_in_a_chapter_fails(checked):
    assert chapter(checked) == []
    (found,) = chapter(checked, prose="# S+C reaches\n# 75.2 % of all.")
    assert "notebooks/one.py:4: '75.2 %' is typed by hand" in found
    assert chapter(checked, alt="A bar at 75.2 percent.")
    assert chapter(checked, prose="# Paper 1 prints 66.1 % (its Table 1).") == []
    assert chapter(checked, prose="# It is 66.1 % here.")  # printed, but nobody says by whom
    code = "# ```python\n# x = 1  # 75.2 %\n# ```\n#\n# ```{note}\n# {}\n# ```"
    assert chapter(checked, prose=code.replace("{}", "Fine.", 1)) == []
    assert chapter(checked, prose=code.replace("{}", "It is 75.2 %.", 1))
    (checked / "book/page.md").write_text("# Page\n\nIt is 75.2 %.\n")
    assert any("book/page.md:3" in line for line in chapter(checked))


def test_what_a_study_says_in_words_is_read_too(checked):
    folder = checked / "results/paper1"
    ledger = yaml.safe_load((folder / "claims.yml").read_text())
    ledger["deviations"] = ["Paper 1 prints 66.1 %.", "Two runs moved by 5.9 points."]
    (folder / "claims.yml").write_text(yaml.safe_dump(ledger))
    (found,) = chapter(checked)
    assert "results/paper1/claims.yml" in found
    assert "'5.9 points'" in found
    with (folder / "summary.md").open("a") as file:
        file.write("\nIt is 75.2 % here.\n")
    assert any("results/paper1/summary.md" in line for line in chapter(checked))


def test_a_number_may_not_be_glued_by_hand(checked):
    (found,) = chapter(checked, code='glue("accuracy", 71.3)')
    assert "one: glues 71.3 as 'accuracy' by hand" in found
    assert chapter(checked, code='glue("accuracy", 100 * 0.713 * scale)') == []


def test_the_list_of_what_may_stand_has_no_dead_entries(checked):
    passage = {"page": "notebooks/one.py", "text": "dropout of 50 %", "reason": "a setting"}
    (checked / prose.ALLOWED).write_text(yaml.safe_dump({"allowed": [passage]}))
    assert chapter(checked, prose="# With a dropout\n# of 50 % it runs.") == []
    assert "does not stand" in chapter(checked)[0]
    del passage["reason"]
    (checked / prose.ALLOWED).write_text(yaml.safe_dump({"allowed": [passage]}))
    with pytest.raises(ValueError, match="reason"):
        chapter(checked)


@pytest.mark.parametrize(
    ("text", "fine"),
    [
        ("It is [reproduced](#claim-claim) here.", True),
        ("It is [not reproduced](#claim-claim) here.", False),
        ("It is [partly reproduced](#claim-claim) here.", False),
        ("It is [partly](#claim-claim) so.", False),
        ("It is [undecided](#claim-claim).", False),
        ("It is [open](#claim-claim).", False),
        ("This is open, that undecided, and both partly so.", True),
        ("See [the row](#claim-claim).", True),
        ("See [the row](#claim-unknown).", False),
        ("It was reproduced.", False),
        ("We reproduce the figure; the code is reproducible.", True),
        ("It is {glue:text}`verdict-claim`.", True),
        ("It is {glue:text}`verdict-unknown`.", False),
    ],
)
def test_a_verdict_word_needs_its_rule(checked, text, fine):
    assert (chapter(checked, prose=f"# {text}") == []) is fine


def test_a_verdict_may_not_be_glued_by_hand(checked):
    said = 'glue("verdict-claim", "{}")'
    assert chapter(checked, code=said.format("reproduced")) == []
    assert "which is 'reproduced'" in chapter(checked, code=said.format("not reproduced"))[0]
    assert chapter(checked, code='glue("verdict-claim", claims.verdict("claim"))') == []
