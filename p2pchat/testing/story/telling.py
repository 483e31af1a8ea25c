"""What happens in a story, in sentences for a person: one line each, with the time and who it is about.

A trace has tuples of words and numbers, so that two of them can be compared; here they are read aloud. What there is no
sentence for is told in its own words, so that a new event is never a hole in the story.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import asdict, fields
from typing import TYPE_CHECKING, Any, Final, final

from p2pchat.testing.lanes import Pace
from p2pchat.testing.simdisk import Loss
from p2pchat.testing.story.scenario import Profile, Say, name_of

if TYPE_CHECKING:
    from p2pchat.testing.story.faults import Fault
from p2pchat.testing.story.scenario import Scenario

NOBODY: Final = "--"  # in the place of a name: what happens to the world
WIDTH: Final = 9  # of the column of names

#: What goes wrong, by the class of the fault; its fields fill the braces, peers by their names.
FAULTS: Final[Mapping[str, str]] = {
    "Cut": "the connection of {one} and {other} is to break when {after} more bytes have passed",
    "Reset": "the connection of {one} and {other} breaks",
    "LoseDialer": "the connection of {one} and {other} breaks for its dialer; old bytes go on arriving for {late} s",
    "Clog": "nothing arrives in one direction between {one} and {other}, for {seconds} s",
    "Part": "{one} and {other} cannot reach each other for {seconds} s",
    "Crash": "{who} dies, to be back after {down} s; {loss}",
    "CrashAt": "{who} is to die at '{point}', time {nth}, to be back after {down} s; {loss}",
    "Stop": "{who} is ended in an orderly way, to be back after {down} s",
    "DiskFull": "the disk of {who} is full after {after} more writes, for {seconds} s",
    "SlowDisk": "each transaction of {who} takes {delay} s, for {seconds} s",
    "Move": "{one} dials {other} in the other way that it can be reached",
    "KeyChange": "{who} dies, and somebody with another key answers in its place for {seconds} s",
    "BackUp": "the profile of {who} is copied",
    "Restore": "{who} dies, and the copy is put in the place of its profile",
    "ClockJump": "the wall clock of {who} jumps by {seconds} s",
    "NoDescriptors": "{who} can open nothing for {seconds} s: no descriptor is left",
    "DiskErrors": "of the writes of {who}, {good} more work and the next {bad} fail, within {seconds} s",
    "Freeze": "{who} is frozen for {seconds} s; its kernel goes on",
    "Deaf": "{who} accepts no connection for {seconds} s",
    "SlowReader": "the person at {who} takes {delay} s for each event, for {seconds} s",
    "CloseWindow": "window {seat} of {who} closes, to be back after {down} s (in an orderly way: {orderly})",
    "PartOneWay": "nothing gets from {one} to {other} for {seconds} s, and everything back",
    "Knocking": "strangers knock at {who} for {seconds} s, {at_once} at once from {machines} machines: {manner}",
}

#: What a peer does, by the word that the trace has for it; what stands behind the word in there fills the braces.
DEEDS: Final[Mapping[str, str]] = {
    "stop": "ends in an orderly way",
    "replaced": "is away; somebody with another key answers in its place",
    "backup": "has a backup",
    "sends": "sends {} bytes",
    "dial failed": "dials in vain: {}",
    "dial refused": "hangs up on who answers: {}",
    "move failed": "moves in vain: {}",
}

#: The same for what one of two peers says to the other: who it is about, and the sentence.
LINES: Final[Mapping[str, tuple[str, str]]] = {
    "accepted": ("one", "says message {0} to {other}, and it is accepted"),
    "heard": ("other", "has message {0} of {one} on its disk"),
    "refused": ("one", "cannot say message {0} to {other}: {1}"),
    "withdrawn": ("one", "takes back message {0} to {other}"),
    "kept": ("one", "cannot take back message {0} to {other} any more"),
}

#: What a transaction has done, by the names in `watch.STEPS`.
STEPS: Final[Mapping[str, str]] = {
    "claim": "the link is taken",
    "enqueue": "a message is queued",
    "hand": "a message may leave",
    "receive": "a message has come",
    "acked": "a message has arrived over there",
    "renumber": "its log begins anew",
    "attempt": "somebody tries a code",
    "honour": "a code was right",
    "trust": "whose key it is, is known",
}


#: What kind of world it is, by the fields of `scenario.Profile` and of its `Pace`.
WORLD: Final[Mapping[str, str]] = {
    "everybody_dials": "everybody dials",
    "latency": "links of {:g} s",
    "jitter": "up to {:g} s more for each piece",
    "bandwidth": "{:g} bytes a second",
    "splits": "{:.0%} of what is sent arrives in two pieces",
    "buffer": "{} bytes under way at the most",
    "disk": "{:g} s for a transaction",
    "patience": "a link is given up after {:g} s of silence",
    "window": "{} messages may wait for their acknowledgement",
    "skew": "clocks are up to {:g} s wrong",
    "doubles": "{} more windows of one peer",
    "doubled": "they are those of the second",
    "guarded": "nobody is let in who is not known",
}


def line(time: float, who: str, sentence: str) -> str:
    """Return one line of a story."""
    return f"{time:10.3f}  {who:<{WIDTH}}  {sentence}"


@final
class Teller:
    """Tells one story: called with its events, as `world.play` calls its `tell`, it returns a line for each."""

    def __init__(self, scenario: Scenario) -> None:
        self._faults: Iterator[Fault] = iter(scenario.faults)

    def __call__(self, time: float, who: str, *what: object) -> str:
        """Return the line for one event."""
        if who == "fault":
            fault = next(self._faults, None)
            return line(time, NOBODY, fault_told(fault) if fault else _plain(what))
        if who == "healed":
            return line(time, NOBODY, "no more trouble: who is down starts, and everything has to arrive")
        if who == "calm":
            return line(
                time, NOBODY, f"everything has arrived, {what[0]} s after the trouble; {what[1]} s were allowed"
            )
        if ">" in who:
            return line(time, *_said(who, what))
        return line(time, who, _done(what))


def fault_told(fault: Fault) -> str:
    """Return what goes wrong, as a sentence."""
    words = {field.name: getattr(fault, field.name) for field in fields(fault)}  # type: ignore[arg-type]  # all are dataclasses
    told = {name: _word(name, value) for name, value in words.items()}
    sentence = FAULTS.get(type(fault).__name__)
    if sentence is None:
        rest = ", ".join(f"{name} {value}" for name, value in told.items() if name != "at")
        return f"{spaced(type(fault).__name__)}: {rest}"
    return sentence.format(**told)


def say_told(say: Say) -> str:
    """Return what somebody says, as a sentence."""
    more = [
        f"from window {say.process}" if say.process else "",
        "with a key" if say.keyed else "",
        "without waiting for what was said before" if say.hasty else "",
        f"taken back after {say.withdraw_after:g} s" if say.withdraw_after is not None else "",
        f"good for {say.expires_after:g} s" if say.expires_after is not None else "",
    ]
    told = f"is to say {say.size} bytes to {name_of(say.to)}"
    return ", ".join(filter(None, [told, *more]))


def outline(scenario: Scenario) -> Iterator[str]:
    """Yield a whole story before it happens: what kind of world it is, and what will be said and go wrong in it."""
    yield f"the world: {', '.join(_differences(scenario.profile))}"
    coming = [(say.at, name_of(say.who), say_told(say)) for say in scenario.says]
    coming += [(fault.at, NOBODY, fault_told(fault)) for fault in scenario.faults]
    for time, who, sentence in sorted(coming, key=lambda one: one[0]):
        yield line(time, who, sentence)


def _differences(profile: Profile) -> Iterator[str]:
    """Yield how many there are, and what is not as in every world."""
    yield f"{profile.peers} peers"
    usual = _flat(Profile(peers=profile.peers, pace=Pace()))
    for name, value in _flat(profile).items():
        if value != usual[name]:
            yield WORLD.get(name, f"{name} {{}}").format(value)


def _flat(profile: Profile) -> dict[str, object]:
    """Return all properties of a world by name."""
    return asdict(profile.pace) | {name: value for name, value in asdict(profile).items() if name != "pace"}


def _said(who: str, what: tuple[object, ...]) -> tuple[str, str]:
    one, _, other = who.partition(">")
    names = {"one": one, "other": other}
    verb, *rest = what
    if (known := LINES.get(str(verb))) is None:
        return one, f"to {other}: {_plain(what)}"
    subject, sentence = known
    return names[subject], sentence.format(*rest, **names)


def _done(what: tuple[object, ...]) -> str:
    verb, *rest = what
    match verb, rest:
        case "commit", _:
            done = ", and ".join(STEPS.get(str(step), str(step)) for step in rest)
            return f"commits: {done}" if done else "commits"
        case "crash", [loss]:
            return f"dies; {_loss(loss)}"
        case "starts", [seat]:
            return f"starts, in window {seat} of its own" if seat else "starts"
        case str(), _ if verb in DEEDS:
            return DEEDS[verb].format(*rest)
        case _:
            return _plain(what) if rest else f"is told: {spaced(str(verb))}"


def _word(name: str, value: Any) -> str:  # noqa: ANN401  (whatever a fault has)
    match name, value:
        case "one" | "other" | "who", int():
            return name_of(value)
        case "loss", _:
            return _loss(value and value.name)
        case _, float():
            return f"{value:g}" if math.isfinite(value) else "all the"
        case _:
            return str(value)


def _loss(name: object) -> str:
    match name:
        case None:
            return "only its processes: the disk keeps everything"
        case Loss.DROP.name:
            return "the power goes, and what was not synced is lost"
        case _:
            return "the power goes, and some of what was not synced is lost"


def _plain(what: tuple[object, ...]) -> str:
    return " ".join(map(str, what))


def spaced(name: str) -> str:
    """Return ``DialFailed`` as ``dial failed``."""
    return re.sub(r"(?<!^)(?=[A-Z])", " ", name).lower()
