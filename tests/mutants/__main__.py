"""Runs mutmut: python tests/mutants [--file PATH] [--sample COUNT] [--seed N] [--part NAME] [--report]."""

from __future__ import annotations

import argparse
import os
import random
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import report
from parts import COPIED, PARTS, ROOT, SOURCES, STAGES, Part, part_of


def copy_if_changed(source: Path, target: Path) -> None:
    """Copy a file or a folder; leave alone what is equal, whose time tells mutmut that nothing changed."""
    files = [path for path in source.rglob("*") if path.is_file()] if source.is_dir() else [source]
    for path in files:
        copy = target / path.relative_to(source) if source.is_dir() else target
        if "__pycache__" in path.parts or (copy.is_file() and copy.read_bytes() == path.read_bytes()):
            continue
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, copy)


def remove_vanished(target: Path, *sources: Path) -> None:
    """Remove from a folder the modules that none of its sources has any more."""
    for path in list(target.rglob("*.py")):
        if not any((source / path.relative_to(target)).exists() for source in sources):
            path.unlink()


def prepare(part: Part) -> Path:
    """Create or refresh the folder in which mutmut works: sources under their import names, and the tests."""
    stage = STAGES / part.name
    for source in SOURCES:
        copy_if_changed(ROOT / source, stage / "src")
    for name in ("tests", *COPIED):
        copy_if_changed(ROOT / name, stage / name)
    for folder in (stage, stage / "mutants"):
        remove_vanished(folder / "tests", ROOT / "tests")
        remove_vanished(folder / "src", *(ROOT / source for source in SOURCES))
    (stage / "pyproject.toml").write_text((ROOT / "pyproject.toml").read_text() + part.configuration())
    return stage


def mutants_of(part: Part, stage: Path) -> list[str]:
    """Return the names of all mutants that are made of a part, in a fixed order."""
    run(part, stage, "-c", "import session; session.generate()")
    return sorted(mutant.name for mutant in report.results(part))


def run(part: Part, stage: Path, *arguments: str) -> None:
    """Run Python in a stage, as a process of its own: modules of two parts have the same names."""
    environment = {
        **os.environ,
        "PYTHONPATH": str(ROOT / "tests" / "mutants"),
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "PYTHONDONTWRITEBYTECODE": "1",
        "PY_IGNORE_IMPORTMISMATCH": "1",
    }
    done = subprocess.run([sys.executable, *arguments], cwd=stage, env=environment, check=False)
    if done.returncode:
        sys.exit(f"error: mutmut failed in part {part.name}")


def chosen(names: Sequence[str], part: Part, file: str | None, share: float, seed: int) -> list[str]:
    """Return the mutants of one file, or a random share of all."""
    if file:
        names = [name for name in names if part.source_of(name) == file]
    if share < 1:
        names = random.Random(seed).sample(list(names), min(len(names), max(1, round(len(names) * share))))
    return list(names)


def untried(part: Part, names: Sequence[str]) -> list[str]:
    """Return the mutants that no earlier run has caught: there may be new tests, and time may have run out."""
    known = {mutant.name for mutant in report.results(part) if mutant.is_caught}
    return [name for name in names if name not in known]


def chosen_parts(asked: argparse.Namespace) -> list[Part]:
    """Return the parts that the command line asks for."""
    if asked.part:
        return [PARTS[asked.part]]
    if asked.file:
        return [part_of(asked.file)]
    return [part for part in PARTS.values() if part.sampled or not asked.sample]


def parse(arguments: list[str]) -> argparse.Namespace:
    """Return what the command line says."""
    parser = argparse.ArgumentParser(prog="python tests/mutants", description="Mutation testing with mutmut.")
    parser.add_argument("--file", help="mutate this file only, such as lambda/chime_handler/channel/plan.py")
    parser.add_argument("--part", choices=PARTS, help="mutate this part only")
    parser.add_argument("--sample", type=int, default=0, help="try so many mutants, chosen at random; 0: all")
    parser.add_argument("--seed", type=int, default=1, help="chooses the sample")
    parser.add_argument("--budget", type=float, default=0, help="seconds of tests for each mutant; 0: no limit")
    parser.add_argument("--report", action="store_true", help="run nothing, write the pages again")
    return parser.parse_args(arguments)


def main(arguments: list[str]) -> int:
    """Try mutants and write the pages; the exit status says whether the scores are those asked for."""
    asked = parse(arguments)
    asked.file = asked.file and Path(asked.file).resolve().relative_to(ROOT).as_posix()
    parts = chosen_parts(asked)
    if not asked.report:
        stages = {part.name: prepare(part) for part in parts}
        names = {part.name: mutants_of(part, stages[part.name]) for part in parts}
        total = sum(len(part.in_file(names[part.name], asked.file)) for part in parts)
        if not total:
            sys.exit(f"error: there are no mutants of {asked.file or asked.part}")
        share = min(1.0, asked.sample / total) if asked.sample else 1.0
        for part in parts:
            some = chosen(names[part.name], part, asked.file, share, asked.seed)
            # What a file's mutants meet may be new: whoever names a file wants all of them tried again.
            some = some if asked.file else untried(part, some)
            for first in range(0, len(some), part.batch):
                listed = stages[part.name] / "chosen.txt"
                listed.write_text("\n".join(some[first : first + part.batch]))
                run(part, stages[part.name], "-m", "session", part.name, str(asked.budget), listed.name)
    return report.write(list(PARTS.values()))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
