"""What a fund may hold to follow an index: the lines of the index at one review, as known at its data cut-off."""

from dataclasses import dataclass, field

import numpy as np

from exchina.errors import DataError, Problem
from exchina.fund.path import FloatArray, IntArray

SAME_SUM = 1e-9
COLUMNS = ("companies", "stages", "countries", "weights", "size_usd", "adv_usd", "value_usd", "price", "lot")
AMOUNTS = ("size_usd", "adv_usd", "value_usd", "price")


@dataclass(frozen=True)
class Candidates:
    """The n lines of an index at one review, in alphabetical order of their symbols.

    Attributes:
        symbols: the lines.
        companies: issuer of each.
        stages: its stage of the supply chain.
        countries: its country.
        weights: (n,) b, the weights of the index, sum 1.
        size_usd: (n,) free-float value of the line, US dollars; NaN unknown.
        adv_usd: (n,) average daily traded value, US dollars; NaN unknown.
        value_usd: (n,) market value of all shares, US dollars; NaN unknown.
        price: (n,) of a share, in the currency of the fund.
        lot: (n,) shares of a lot; 0 allows fractions.
        returns: (T, n) simple returns of a session in index currency, the newest last; NaN before the listing.

    Raises:
        DataError: no line, symbols out of order or twice, columns of other lengths, weights that are not fractions of
            1, amounts below zero, or returns that are unknown after a listing or below -1; all at once.
    """

    symbols: tuple[str, ...]
    companies: tuple[str, ...]
    stages: tuple[str, ...]
    countries: tuple[str, ...]
    weights: FloatArray = field(repr=False)
    size_usd: FloatArray = field(repr=False)
    adv_usd: FloatArray = field(repr=False)
    value_usd: FloatArray = field(repr=False)
    price: FloatArray = field(repr=False)
    lot: IntArray = field(repr=False)
    returns: FloatArray = field(repr=False)

    def __post_init__(self) -> None:
        problems = self._shapes() or [*self._lines(), *self._returns()]
        if problems:
            raise DataError(*problems)

    def _shapes(self) -> list[Problem]:
        count = len(self.symbols)
        if not count:
            return [Problem("candidates.symbols", "no line at all", "a fund needs an index with lines")]
        wrong = [name for name in COLUMNS if np.shape(getattr(self, name)) != (count,)]
        problems = [
            Problem(f"candidates.{name}", f"shape {np.shape(getattr(self, name))}, not ({count},)", "one entry a line")
            for name in wrong
        ]
        if np.ndim(self.returns) != 2 or np.shape(self.returns)[1] != count:
            found = f"shape {np.shape(self.returns)}, not (T, {count})"
            problems.append(Problem("candidates.returns", found, "sessions down, lines across"))
        return problems

    def _lines(self) -> list[Problem]:
        problems: list[Problem] = []
        if list(self.symbols) != sorted(set(self.symbols)):
            problems.append(Problem("candidates.symbols", "out of alphabetical order, or one twice", "sort the lines"))
        b = self.weights
        if not (np.isfinite(b) & (b >= 0)).all() or abs(b.sum() - 1) > SAME_SUM:
            found = f"sum to {b.sum():.10g}, the least is {b.min():.6g}"
            problems.append(Problem("candidates.weights", found, "index weights are fractions that sum to 1"))
        for name in AMOUNTS:
            amounts: FloatArray = getattr(self, name)
            problems += [
                Problem(
                    f"candidates.{name} {self.symbols[line]}", f"found {amounts[line]}", "0 or more; NaN if unknown"
                )
                for line in np.flatnonzero((amounts < 0) | np.isinf(amounts))
            ]
        return problems + [
            Problem(f"candidates.lot {self.symbols[line]}", f"found {self.lot[line]}", "whole shares; 0 for fractions")
            for line in np.flatnonzero(self.lot < 0)
        ]

    def _returns(self) -> list[Problem]:
        r = self.returns
        known = ~np.isnan(r)
        gaps = (np.maximum.accumulate(known, axis=0) & ~known).any(axis=0)
        wild = (np.isinf(r) | (r < -1)).any(axis=0)
        what = {"unknown after the first session": gaps, "not finite, or below -1": wild}
        return [
            Problem(f"candidates.returns {self.symbols[line]}", f"a return is {fault}", "0 where no price was made")
            for fault, lines in what.items()
            for line in np.flatnonzero(lines)
        ]
