"""Tables and claims to reproduce, and the runs that they share, for `launch.reproduce`."""

import dataclasses
import functools
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tf_mwn.files import Folder
from tf_mwn.messages import duration
from tf_mwn.reproduction import (
    claims_list,
    claims_report,
    comparison,
    run_queue,
    run_time,
    table_page,
)
from tf_mwn.reproduction.claims import Claim, Result
from tf_mwn.reproduction.evidence import Context
from tf_mwn.reproduction.planned_runs import Planned, check_used, each_once
from tf_mwn.reproduction.tables import TABLES, Cell, cells, every_table, refuse_empty
from tf_mwn.runs.run import FINISHED, MISSING, OTHER, STARTED

SEEDS = (0, 1, 2)
_STATES = (FINISHED, STARTED, MISSING, OTHER)


def list_tables() -> str:
    """The published tables, a line each."""
    return "\n".join(f"{name}: {table.title} ({table.source})" for name, table in TABLES.items())


def list_claims() -> str:
    """The claims, a line each."""
    known = claims_list.claims()
    return "\n".join(f"{claim.key}: {claim.statement}" for claim in known.values())


@dataclasses.dataclass(frozen=True)
class Reproduction:
    """Tables and claims, checked; nothing is written yet.

    Attributes:
        workdir: folder of the runs, and of tables/ and claims/ with the comparisons.
        scale: of the tables.
        tables: the cells of each table, by its name.
        claims: each claim with its context.
        runs: the runs that tables, claims and the comparison need, each once.
        robust: whether `comparison` is wanted.
        label_file: the list of labels, or the folder of lists, of the runs that need one.
    """

    workdir: Path
    scale: str
    tables: Mapping[str, Sequence[Cell]]
    claims: Sequence[tuple[Claim, Context]]
    runs: Sequence[Planned]
    robust: bool = False
    label_file: str | None = None

    @classmethod
    def make(
        cls,
        workdir: str,
        tables: Sequence[str] = (),
        claims: Sequence[str] = (),
        scale: str | None = None,
        seeds: Sequence[int] | None = None,
        common: Mapping[str, Any] | None = None,
        with_sets: bool = False,
        robust: bool = False,
        only: Sequence[str] = (),
        columns: Sequence[str] = (),
    ) -> "Reproduction":
        """The reproduction that a command line describes.

        Args:
            workdir: folder of the runs.
            tables: names of published tables, or ["all"]: those that `every_table` names.
            claims: keys of claims, or ["all"].
            scale: one of `tables.SCALES`; None means "paper".
            seeds: of each configuration; None means 0, 1 and 2.
            common: settings of all runs whose table or claim does not decide them. `label_file`
                goes to the runs that need one; without it they are left out.
            with_sets: whether the data of TensorFlow Datasets are available.
            robust: whether to compare `robust` with other methods; its seeds are its own.
            only, columns: methods and columns of the tables; all if there are none.

        Raises:
            ValueError, TypeError: one sentence that says what to change.
        """
        _check_asked(tables, claims, robust, scale, seeds, only=only, columns=columns)
        seeds = SEEDS if seeds is None else seeds
        scale, common = scale or "paper", dict(common or {})
        names = list(dict.fromkeys(tables))
        if names == ["all"]:
            names = every_table(scale, "dataset" in common)
        label_file = common.pop("label_file", None)
        chosen = claims_list.select(list(claims), with_sets) if claims else []

        def planned(common: Mapping[str, Any]) -> tuple:
            found = {
                name: cells(name, scale, seeds, common, with_sets, only, columns, label_file)
                for name in names
            }
            pairs = [(claim, claim.context(workdir, seeds, common)) for claim in chosen]
            needed = [
                *(run for some in found.values() for cell in some for run in cell.runs),
                *(run for claim, context in pairs for run in claim.runs(context)),
                *(comparison.planned(with_sets, label_file) if robust else ()),
            ]
            return found, pairs, each_once(needed)

        found, pairs, runs = planned(common)
        empty = [name for name, some in found.items() if not some and list(tables) != ["all"]]
        if empty:
            refuse_empty(empty[0], scale, with_sets, only, columns, label_file)
        for name, value in common.items():
            rest = {n: v for n, v in common.items() if n != name}
            check_used(name, value, runs, lambda rest=rest: planned(rest)[2])
        if label_file is not None and not any(r.experiment.config.label_file for r in runs):
            raise ValueError(
                f"label_file: expected a list of labels that a run needs, received {label_file}, "
                f"of no effect on any of the {len(runs)} runs"
            )
        return cls(Path(workdir), scale, found, pairs, runs, robust, label_file)

    def missing(self) -> list[Planned]:
        """The runs that have not finished.

        Raises:
            ValueError: a folder holds a run of other settings.
        """
        states = {run.name: run.state(self.workdir) for run in self.runs}
        for name, state in states.items():
            if state == OTHER:
                raise ValueError(
                    f"workdir: expected no other run in {self.workdir / name}, received one that "
                    "holds a run of other settings, of another version perhaps; choose another "
                    "--workdir"
                )
        return [run for run in self.runs if states[run.name] != FINISHED]

    def listing(self) -> str:
        """The state of every run, a line each."""
        return "\n".join(f"{run.state(self.workdir):8}  {run.name}" for run in self.runs)

    def estimate(self) -> str:
        """The number of runs in each state, and the time that the missing runs will take."""
        states = [run.state(self.workdir) for run in self.runs]
        counts = ", ".join(f"{states.count(s)} {s}" for s in _STATES if s in states)
        missing = [r for r, s in zip(self.runs, states, strict=True) if s != FINISHED]
        factor = run_time.factor(self.runs, self.workdir)
        times = self._seconds(missing)
        known = [value for value in times if value is not None]
        line = f"{len(self.runs)} {'run' if len(self.runs) == 1 else 'runs'}: {counts}"
        if known:
            basis = "at the pace of the finished ones" if factor else "on two idle CPU cores"
            time = duration(sum(known))
            line += f"; about {time} for what is missing, one after another, {basis}"
        if len(known) < len(times):
            line += f", and {len(times) - len(known)} of unknown length"
        return line

    def _seconds(self, runs: Sequence[Planned]) -> list[float | None]:
        factor = run_time.factor(self.runs, self.workdir)
        return [run_time.seconds(run, factor or 1.0, self.workdir) for run in runs]

    def fitting(self, hours: float) -> list[Planned]:
        """The missing runs that fit into a budget of time, in the order in which they are tried.

        The first seed of every cell goes first, column by column, then the next seed. A run that
        does not fit any more is left out, and so is one of unknown length.
        """
        missing, left, chosen = self.missing(), 3600 * hours, []
        rank = {seed: i for i, seed in enumerate(self._seeds())}
        missing.sort(key=lambda run: rank[run.experiment.seeds[0]])
        for run, seconds in zip(missing, self._seconds(missing), strict=True):
            if seconds is not None and seconds <= left:
                left -= seconds
                chosen.append(run)
        return chosen

    def _seeds(self) -> list[int]:
        return list(dict.fromkeys(seed for run in self.runs for seed in run.experiment.seeds))

    def train(self, folders: Sequence[str], jobs: int, runs: Sequence[Planned]) -> dict[str, str]:
        """Trains runs and writes the tables after each; see `run_queue.execute`."""
        tell = functools.partial(print, flush=True)
        return run_queue.execute(runs, folders, jobs, tell, self._write_tables)

    def _write_tables(self) -> list[tuple[str, list[Path]]]:
        """Writes the tables from the runs that have finished; the text and the files of each."""
        written = []
        for name, found in self.tables.items():
            records = table_page.compare(found, self.workdir)
            paths = table_page.write(Folder(self.workdir / "tables"), name, self.scale, records)
            written.append((table_page.text(name, self.scale, records), paths))
        return written

    def write(self) -> None:
        """Writes and prints every comparison, from the runs that have finished."""
        for text, paths in self._write_tables():
            print(f"\n{text}")
            print("\n".join(map(str, paths)), flush=True)
        if self.claims:
            results = [Result.of(claim, context) for claim, context in self.claims]
            folder = Folder(self.workdir / "claims")
            claims_report.write(folder, results)
            print(f"\n{claims_report.summary(results)}\n\n{folder / 'claims.md'}", flush=True)
        if self.robust:
            print(f"\n{comparison.write(self.workdir, self.label_file)}", flush=True)


def _check_asked(
    tables: Sequence[str],
    claims: Sequence[str],
    robust: bool,
    scale: str | None,
    seeds: Sequence[int] | None,
    **of_tables: Sequence[str],
) -> None:
    """Refuses what the command line cannot mean; `of_tables` only chooses among tables."""
    if not tables and not claims and not robust:
        raise ValueError(
            "table: expected --table=NAME, --claims or --robust, received none; "
            "--table=list shows the tables"
        )
    for name, chosen in of_tables.items():
        if chosen and not tables:
            raise ValueError(f"{name}: expected --table with it, received none")
    if claims and scale == "paper":
        raise ValueError("scale: expected cpu with --claims, received paper")
    if not tables and not claims:
        for name, given in (("seed", seeds), ("scale", scale)):
            if given is not None:
                shown = given if name == "scale" else ",".join(map(str, given))
                raise ValueError(
                    f"{name}: expected --table or --claims with it, as --robust decides it, "
                    f"received {shown}"
                )
    if seeds is not None and (not seeds or len(set(seeds)) < len(seeds)):
        shown = ",".join(map(str, seeds)) or "none"
        raise ValueError(f"seeds: expected at least one and each once, received {shown}")
