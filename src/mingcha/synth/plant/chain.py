"""Which area plants at which station of the chain, always in the same order."""

from __future__ import annotations

from dataclasses import dataclass

from mingcha.synth.plant import planter

# station -> what is planted there, in this order
STATIONS: dict[str, tuple[planter.Step, ...]] = {}


@dataclass(frozen=True, slots=True)
class Chain:
    """The planting of one utility."""

    planter: planter.Planter

    def at(self, station: str) -> None:
        """Plant what belongs to this station: cast, metering, readings, bills, receipts or books."""
        for step in STATIONS.get(station, ()):
            step(self.planter)
