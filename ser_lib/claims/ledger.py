"""The ledger of a paper: its claims, as ``claims.yml`` fixed them before the runs."""

from __future__ import annotations

import re
import tomllib
from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any

from ser_lib import records
from ser_lib.claims.rules import NEEDED, RULES
from ser_lib.evidence import Protocol

_ALWAYS = ("id", "says", "place", "quote", "protocol", "rule")
_ONLY_SOME = (
    "ours", "printed", "printed_effect", "family", "metric", "smallest", "beside", "baseline",
    "reason", "source", "reference", "per_cent", "test_size",
)  # fmt: skip
_KNOWN = {*_ALWAYS, *_ONLY_SOME, *chain.from_iterable(NEEDED.values())}


@dataclass(frozen=True)
class Ledger:
    """The claims of one paper, as they were fixed before the runs."""

    study: str
    folder: Path
    text: Mapping[str, Any]
    """The whole of ``claims.yml``."""
    claims: tuple[dict[str, Any], ...]
    protocol: Protocol

    @property
    def theirs(self) -> tuple[dict[str, Any], ...]:
        """The paper's claims."""
        return tuple(claim for claim in self.claims if not claim.get("ours"))

    @property
    def ours(self) -> tuple[dict[str, Any], ...]:
        """Questions of ours, which are not counted as the paper's claims."""
        return tuple(claim for claim in self.claims if claim.get("ours"))

    @property
    def printed(self) -> frozenset[float]:
        """Every number that the paper prints and the ledger quotes."""
        return frozenset(_numbers([claim.get("printed") for claim in self.claims]))


def load_ledger(study: str, root: Path | None = None) -> Ledger:
    """Read and validate ``results/<study>/claims.yml``.

    Args:
        study: a folder of ``results/``.
        root: the repository; by default the one that the results folder lies in.

    Raises:
        ValueError: the file is missing, not valid, or a claim lacks what its rule needs.
    """
    import yaml

    folder = results_in(root) / study
    path, plan_path = folder / "claims.yml", folder / "plan.toml"
    try:
        text = yaml.safe_load(path.read_text(encoding="utf-8"))
        plan = tomllib.loads(plan_path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise ValueError(f"study {study!r} has no ledger: {error.filename} is missing") from error
    except (yaml.YAMLError, tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ValueError(f"{path} or {plan_path} is not valid: {error}") from error
    try:
        smallest = plan["rules"]["smallest_effect"]
        protocol = Protocol.from_rules(text["rules"], plan.get("fixed", {}), smallest)
        families = text["rules"].get("families", ())
        claims = tuple(_complete(claim, smallest, families) for claim in text["claims"])
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"{path}: {type(error).__name__} {error}") from error
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from error
    if twice := [name for name, n in Counter(c["id"] for c in claims).items() if n > 1]:
        raise ValueError(f"{path}: claim {', '.join(twice)} stands twice")
    if absent := [entry for entry in ("title", "about", "summary") if not text.get(entry)]:
        raise ValueError(f"{path} lacks {', '.join(absent)}, which its pages need")
    if strange := sorted(set(text["summary"]) - {claim["id"] for claim in claims}):
        raise ValueError(f"{path}: the summary names {', '.join(strange)}, which is no claim")
    return Ledger(study, folder, text, claims, protocol)


def _complete(claim: Any, smallest: float, families: Collection[str]) -> dict[str, Any]:
    """Refuse a claim that cannot be judged; fill in the smallest effect."""
    name = claim.get("id", claim)
    if absent := [entry for entry in _ALWAYS if not claim.get(entry)]:
        raise ValueError(f"claim {name!r} lacks {', '.join(absent)}")
    if not re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", name):
        raise ValueError(f"claim id {name!r} is not lower-case words joined by hyphens")
    rule = claim["rule"]
    if rule not in RULES:
        raise ValueError(f"claim {name!r}: unknown rule {rule!r}, known: {', '.join(RULES)}")
    if absent := [entry for entry in NEEDED[rule] if entry not in claim]:
        raise ValueError(f"claim {name!r}: rule {rule!r} needs {', '.join(absent)}")
    if strange := sorted(set(claim) - _KNOWN):
        raise ValueError(f"claim {name!r}: nothing reads {', '.join(strange)}")
    if "family" in claim and rule not in ("better", "lower"):
        raise ValueError(f"claim {name!r}: rule {rule!r} has no p value for a family")
    if (family := claim.get("family")) and family not in families:
        raise ValueError(f"claim {name!r}: family {family!r} is none of {', '.join(families)}")
    return {"smallest": smallest, **claim}


def studies(root: Path | None = None) -> tuple[str, ...]:
    """Names of the studies that have a ledger.

    Raises:
        ValueError: none has.
    """
    folder = results_in(root)
    if not (found := sorted(path.parent.name for path in folder.glob("*/claims.yml"))):
        raise ValueError(f"there is no {folder}/*/claims.yml")
    return tuple(found)


def results_in(root: Path | None) -> Path:
    """Folder of all studies in a repository, by default the one that is found from here."""
    return root / "results" if root else records.results_folder()


def _numbers(value: Any) -> list[float]:
    if isinstance(value, Mapping):
        value = list(value.values())
    if isinstance(value, list):
        return [number for inner in value for number in _numbers(inner)]
    if isinstance(value, bool) or not isinstance(value, int | float):
        return []
    return [float(value)]
