"""The book: what its chapters use while they run, and how it is built from them."""

from ser_lib.book.display import Player, glue, player

__all__ = ["Player", "glue", "player"]
