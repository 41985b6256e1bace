"""The batches to start with, from a seed: the same seed and instant give the same batches."""

from __future__ import annotations

from datetime import UTC, datetime
from random import Random

from worker.simulator.options import Population
from worker.simulator.world import SimBatch, State, World

_HOUR = 3600.0
_DAY = 24 * _HOUR
_PREFIXES = ("UTIL", "UTIL", "UTIL", "ELEC", "GAS", "WATER", "IMPORT", "AP")


def seed_world(population: Population, now: float) -> World:
    """A world of the population's batches at that instant (Unix time)."""
    rng = Random(population.seed)
    world = World()
    for serial, state in enumerate(_states(population, rng), start=1):
        batch = _batch(population, rng, serial, state, now)
        world.batches[batch.batch_id] = batch
        world.targets.append(batch.batch_id)
    return world


def _states(population: Population, rng: Random) -> list[State]:
    states = [
        state
        for state, share in (
            (State.MISSING, population.missing),
            (State.CLOSED, population.closed),
            (State.PENDING, population.pending),
        )
        for _ in range(round(share * population.batches))
    ][: population.batches]
    states += [State.OPEN] * (population.batches - len(states))
    rng.shuffle(states)
    return states


def _batch(population: Population, rng: Random, serial: int, state: State, now: float) -> SimBatch:
    batch_id = population.first_id + serial - 1
    if state is State.MISSING:
        return SimBatch(batch_id=batch_id, state=state)
    closed_at = now - rng.uniform(2 * _HOUR, 42 * _DAY) if state is State.CLOSED else None
    created_at = (closed_at or now) - rng.uniform(0.5 * _HOUR, 20 * _DAY)
    period = datetime.fromtimestamp(created_at, UTC)
    bills = 0 if rng.random() < population.empty else 1 + int(rng.expovariate(1 / 25))
    batch = SimBatch(
        batch_id=batch_id,
        state=state,
        code=f"{rng.choice(_PREFIXES)}-{period:%Y-%m}-{serial:04d}",
        created_at=created_at,
        closed_at=closed_at,
        closed_by="them" if closed_at is not None else None,
        year=period.year,
        month=period.month,
        bill_count=bills,
        total_cents=sum(round(rng.lognormvariate(9.5, 1.0)) for _ in range(min(bills, 8)))
        * max(1, bills // 8),
        imported=rng.random() < 0.6,
        voided=state is State.PENDING,
        owner=rng.choice((1, 2)) if rng.random() < population.foreign else 0,
    )
    _trouble(population, rng, batch)
    if rng.random() < 0.3:
        batch.control_code = f"C{serial:05d}"
    if rng.random() < 0.3:
        batch.invoice_number = f"INV-{rng.randrange(10**6):06d}"
    return batch


def _trouble(population: Population, rng: Random, batch: SimBatch) -> None:
    if rng.random() < population.flagged:
        batch.flags = rng.randint(1, 9)
    if batch.state is not State.CLOSED and rng.random() < population.analyzing:
        batch.analyzing = rng.randint(1, max(1, batch.bill_count))
    if rng.random() < population.kickouts:
        batch.kickouts = True
