# /// script
# dependencies = ["nox>=2026.4"]
# ///
"""Every check of this project, by name. `nox` runs the first four; `nox --list` shows them all.

Versions live in pyproject.toml: interpreters in its classifiers, tools in its dependency groups. A Python that is not
installed is skipped, never fetched. Arguments after `--` go to the tool: `nox -s tests-3.11 -- tests/wire -x`.
"""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import nox

nox.needs_version = ">=2026.4"
nox.options.default_venv_backend = "uv|virtualenv"
nox.options.download_python = "never"
nox.options.error_on_external_run = True
nox.options.error_on_missing_interpreters = False
nox.options.sessions = ["lint", "types", "docs", "tests"]

PYPROJECT = nox.project.load_toml("pyproject.toml")
PYTHONS = nox.project.python_versions(PYPROJECT)
PURE = ("wire", "crypto", "protocol", "store")  # no I/O or one file of it: no excuse for a line that no test reaches
ASYNC = sorted(
    path for path in Path("p2pchat").rglob("*.py") if re.search(r"\basync\b", path.read_text(encoding="utf-8"))
)

# Beside ruff's subset: 102 finds an await in `finally` without a shield and a deadline, 113 a task that should be
# waited for until it is ready, 900 an async generator that nobody closes. Off: 124 and 128, since a function may be
# async, or take a `task_status`, for the sake of an interface, and the checkpoint rules 910 to 913, since the hot path
# promises fewer of them, on purpose; and, since each of them takes as long as all others together, 100, which ruff has
# too, and 300, which is about asyncio. Only files that have something async in them are read: 0.2 s for each.
FLAKE8_ASYNC = ("--enable=ASYNC", "--disable=ASYNC100,ASYNC124,ASYNC128,ASYNC300,ASYNC910,ASYNC911,ASYNC912,ASYNC913")
STARTABLE = re.compile(r"async def (\w+)\([^)]*\btask_status\b")


def install(session: nox.Session, *packages: str, groups: tuple[str, ...]) -> None:
    """Install `packages` beside what pyproject.toml lists under `groups`."""
    session.install(*packages, *nox.project.dependency_groups(PYPROJECT, *groups))


def side_by_side(session: nox.Session, *commands: tuple[str, ...]) -> None:
    """Run commands of one thread each, two at a time."""
    with ThreadPoolExecutor(2) as pool:
        for done in [pool.submit(session.run, *command) for command in commands]:
            done.result()


@nox.session
def lint(session: nox.Session) -> None:
    """Format, style, Trio's pitfalls, and imports that only go down."""
    install(session, groups=("lint",))
    session.run("ruff", "format", "--check")
    session.run("ruff", "check")
    startable = {name for path in ASYNC for name in STARTABLE.findall(path.read_text(encoding="utf-8"))}
    names = f"--startable-in-context-manager={','.join(sorted(startable))}"
    halves = [("flake8-async", *FLAKE8_ASYNC, names, *map(str, half)) for half in (ASYNC[::2], ASYNC[1::2])]
    side_by_side(session, *halves, ("lint-imports", "--no-cache"))  # which is half of what one half takes


@nox.session
def types(session: nox.Session) -> None:
    """Strict types inside; and for those who build on us, a fully typed public face."""
    install(session, ".", groups=("types",))
    elsewhere = session.create_tmp()  # away from the sources, so that the installed package is judged
    side_by_side(session, ("mypy",), ("pyright", "--verifytypes", "p2pchat", "--ignoreexternal", "-p", elsewhere))


@nox.session
def docs(session: nox.Session) -> None:
    """The pages, with every dangling name an error; and the change fragments, as the next release would print them."""
    install(session, ".", groups=("docs",))
    session.run("sphinx-build", "-nW", "--keep-going", "-E", "-q", "-b", "html", "docs", "docs/_build/html")
    session.run("towncrier", "build", "--draft", "--version=next")


@nox.session(python=PYTHONS)
def tests(session: nox.Session) -> None:
    """Every test; under the oldest Python also the coverage gates."""
    install(session, "-e", ".", groups=("tests",))
    together = ["-n", "3", "--dist", "loadfile", "--no-loadscope-reorder"]  # of three, one waits for a process
    everything = [*together, "--ignore=tests/e2e", "--ignore=tests/netns"]
    pytest = ["-m", "pytest", "--hypothesis-profile=ci", *(session.posargs or everything)]
    env = {"PYTHONDONTWRITEBYTECODE": ""}  # hundreds of processes begin, and compiling is more than half of a beginning
    if session.posargs or session.python != PYTHONS[0]:
        session.run("python", *pytest, env=env)
        return
    # A file of its own and absolute, so that parallel sessions and the processes that tests start find the right one.
    env |= {"COVERAGE_FILE": str(Path(session.create_tmp(), "coverage").absolute())}
    pure = ",".join(f"p2pchat/{package}/*" for package in PURE)
    session.run("coverage", "erase", env=env)
    session.run("coverage", "run", *pytest, env=env)
    session.run("coverage", "combine", "--quiet", env=env)
    session.run("coverage", "report", "--fail-under=95", env=env)
    session.run("coverage", "report", "--fail-under=100", f"--include={pure}", env=env)


@nox.session(default=False)
def e2e(session: nox.Session) -> None:
    """Two people, two terminals: real processes on real screens. Needs tmux."""
    install(session, ".", groups=("tests",))
    session.run("python", "-m", "pytest", *(session.posargs or ["tests/e2e"]))


@nox.session(default=False)
def crash(session: nox.Session) -> None:
    """Kill real processes at random moments, two thousand times or as often as asked, and compare what they kept."""
    install(session, ".", groups=("tests",))
    session.run("python", "-m", "tests.crash", *session.posargs)


@nox.session(default=False)
def netns(session: nox.Session) -> None:
    """Two hosts with kernels of their own and a cable that is pulled: real processes. Needs root, ip and nsenter."""
    install(session, ".", groups=("tests",))
    session.run("python", "-m", "pytest", *(session.posargs or ["-rPs", "tests/netns"]))


@nox.session(default=False)
def bench(session: nox.Session) -> None:
    """How fast, side by side with bare Trio and bare sockets in the same run. Prints a table, fails nobody."""
    install(session, ".", groups=("tests",))
    session.run("python", "-m", "tests.benchmarks", *session.posargs)


@nox.session(default=False)
def mutants(session: nox.Session) -> None:
    """Plant known bugs, one at a time, and see that the tests named for each of them fail."""
    install(session, "-e", ".", groups=("tests",))
    session.run("python", "-m", "tests.mutants", *session.posargs)


@nox.session(default=False)
def simulate(session: nox.Session) -> None:
    """Thousands of stories in the simulated world that nobody has seen before; arguments: how many, `--first SEED`."""
    install(session, "-e", ".", groups=("tests",))
    session.run("python", "-m", "p2pchat.testing.campaign", *(session.posargs or ["3000"]))


@nox.session(default=False)
def soak(session: nox.Session) -> None:
    """Search by chance on two cores: worlds, swarms, properties, real kills; argument: minutes, 50 unless told."""
    install(session, "-e", ".", groups=("tests",))
    minutes = int(session.posargs[0]) if session.posargs else 50
    campaign = ("python", "-m", "p2pchat.testing.campaign", str(10**9), "--seconds", str(60 * minutes))
    swarm = ("python", "-m", "p2pchat", "simulate", "--quiet", "--peers")
    pure = ("tests/wire", "tests/crypto", "tests/protocol")
    lanes: list[list[tuple[str, ...]]] = [
        [campaign],
        [
            *((*swarm, str(peers), "--runs", str(1 + minutes * 20 // peers**2)) for peers in (5, 10, 20)),
            ("python", "-m", "pytest", "-q", "--hypothesis-profile=thorough", "-m", "hypothesis", *pure),
            ("python", "-m", "tests.crash", str(10 * minutes)),
        ],
    ]

    def go(lane: list[tuple[str, ...]]) -> None:
        for command in lane:
            session.run(*command)

    with ThreadPoolExecutor(len(lanes)) as pool:
        for done in [pool.submit(go, lane) for lane in lanes]:
            done.result()


@nox.session(default=False, python=PYTHONS[0])
def fuzz(session: nox.Session) -> None:
    """Guess bytes and texts that break a promise, guided by coverage; arguments: `--seconds N`, names of targets."""
    install(session, "-e", ".", groups=("fuzz",))
    look = "import importlib.util; print(importlib.util.find_spec('atheris') is not None)"
    if "True" not in str(session.run("python", "-c", look, silent=True)):
        session.skip("there is no atheris for this Python or this platform")
    session.run("python", "-m", "tests.fuzz", *session.posargs)


@nox.session(default=False)
def mutation(session: nox.Session) -> None:
    """Change each expression of the pure packages, and see whether their tests notice; arguments: names of mutants."""
    install(session, "-e", ".", groups=("mutation",))
    session.run("mutmut", "run", *session.posargs)
    session.run("mutmut", "results")


if __name__ == "__main__":
    nox.main()
