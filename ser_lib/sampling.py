"""Batches of some emotions times some utterances each, as triplets need them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor


class BalancedBatches:
    r"""Batches of :math:`P` emotions with :math:`K` utterances each (Hermans et al. 2017).

    Each class's utterances are dealt like a pack of cards: shuffled, dealt to the end, shuffled
    again; so none is dealt a second time before all others have been dealt once, and none stands
    twice in a batch. A class with fewer than :math:`K` utterances gives all that it has to each
    of its batches, which are smaller for it. Classes are dealt in the same way.

    One pass yields ``len(batches)`` batches, about as many utterances as there are. Rare classes
    come more often in it than others, that is the purpose; utterances of frequent ones may come in
    the next pass only, where the dealing goes on.

    Args:
        labels: class of each utterance, shape ``(utterances,)``.
        classes: :math:`P`, by default all.
        utterances: :math:`K`.
        generator: of the CPU; all chance comes from it.

    Raises:
        ValueError: there are no labels, ``classes`` is not from 1 to the number of classes, or
            ``utterances`` is not positive.

    Example:
        >>> labels = torch.tensor([0, 0, 0, 0, 0, 1, 1, 1])
        >>> batches = BalancedBatches(labels, utterances=2, generator=torch.Generator())
        >>> [labels[batch].tolist() for batch in batches]
        [[0, 0, 1, 1], [0, 0, 1, 1]]
    """

    def __init__(
        self,
        labels: Tensor,
        *,
        classes: int | None = None,
        utterances: int,
        generator: torch.Generator,
    ) -> None:
        """Sort the utterances by class; nothing is drawn yet."""
        if labels.dim() != 1 or len(labels) == 0:
            raise ValueError(f"labels have shape {tuple(labels.shape)}, expected one or more")
        self._members = [(labels == label).nonzero()[:, 0].cpu() for label in labels.unique()]
        self.classes = len(self._members) if classes is None else classes
        if not 1 <= self.classes <= len(self._members):
            raise ValueError(f"classes is {classes}, there are {len(self._members)}")
        if utterances < 1:
            raise ValueError(f"utterances is {utterances}, it must be positive")
        self.utterances = utterances
        self._length = -(-len(labels) // (self.classes * utterances))
        self._generator = generator
        nothing = torch.empty(0, dtype=torch.long)
        self._class_deck = nothing
        self._decks = [nothing] * len(self._members)

    def __len__(self) -> int:
        """Return the batches of a pass."""
        return self._length

    def __iter__(self) -> Iterator[Tensor]:
        """Yield one pass: index vectors, class by class."""
        for _ in range(self._length):
            everyone = torch.arange(len(self._members))
            drawn, self._class_deck = self._deal(self._class_deck, everyone, self.classes)
            parts = []
            for label in drawn.sort().values.tolist():
                part, self._decks[label] = self._deal(
                    self._decks[label], self._members[label], self.utterances
                )
                parts.append(part)
            yield torch.cat(parts)

    def _deal(self, deck: Tensor, cards: Tensor, wanted: int) -> tuple[Tensor, Tensor]:
        """Deal that many different cards, or all there are; return them and what is left."""
        wanted = min(wanted, len(cards))
        if len(deck) < wanted:
            fresh = cards[torch.randperm(len(cards), generator=self._generator)]
            # What is dealt now goes to the bottom, so that no card comes twice in one hand.
            doubled = torch.isin(fresh, deck)
            deck = torch.cat((deck, fresh[~doubled], fresh[doubled]))
        return deck[:wanted], deck[wanted:]

    def state_dict(self) -> dict[str, Any]:
        """Return the generator's state and what is left of every pack, for a checkpoint."""
        return {
            "generator": self._generator.get_state(),
            "class_deck": self._class_deck.clone(),
            "decks": [deck.clone() for deck in self._decks],
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on where :meth:`state_dict` was called.

        Raises:
            ValueError: the state is of other labels.
        """
        decks = [deck.cpu() for deck in state["decks"]]
        if len(decks) != len(self._members) or not all(
            torch.isin(deck, cards).all() for deck, cards in zip(decks, self._members, strict=True)
        ):
            raise ValueError("the state is of other labels: its packs hold other utterances")
        self._generator.set_state(state["generator"].cpu())
        self._class_deck = state["class_deck"].cpu()
        self._decks = decks
