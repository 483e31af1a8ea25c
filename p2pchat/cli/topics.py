"""The pages of `p2pchat help TOPIC`. What can be generated from a table is."""

from __future__ import annotations

import difflib
from collections.abc import Callable

from p2pchat.cli import exit_codes, settings, verbs
from p2pchat.ui import commands

ADDRESSES = """\
addresses: where a peer can be reached

  box                    a host by name or number, on the default port 7272
  box:7300  [::1]:7300   another port; IPv6 in brackets
  tcp:box:7300           the same, spelled out
  *:7272                 every interface of this machine (only to listen; it is the default)
  localhost              this machine only
  /tmp/chat.sock         a Unix socket: a word with a slash is a path
  unix:/tmp/chat.sock    the same, spelled out
  exec:'ssh box p2pchat stdio'
                         what a command reads and writes (only to dial); no shell looks at the words
  memory:name            inside one program, for tests and demos

Where a verb takes PEER, that is an address, a peer1… id, a link that begins with p2pchat:, or the name that you gave a
contact (`p2pchat contacts`). A word without a colon or a slash is a contact first; only `dial` takes it for a host if
there is none of that name. Of a contact all addresses are dialed at once, commands alone, last, and only by `dial`.
"""

PIPES = """\
pipes: what comes out is what went in

Where standard input is no terminal, each line is one message; nothing in it is a command. Bytes out equal bytes in:
a last line without a newline, lines above 1 MiB and input that is not UTF-8 arrive as they are.

  echo hi | p2pchat dial box       sends, waits for answers while they keep coming (--linger, 5 s), ends
  p2pchat listen --once > file     gets exactly what was sent, and ends with the goodbye
  p2pchat dial box --no-input      only listens

Input is not read before the other side has let us in. End of input of a `dial` ends the chat when everything has
arrived; of a `listen` it only means that you say nothing. Input goes to the first peer that comes. A lost link is
redialled for --timeout seconds (60), then the exit code is 75 if something stays queued, else 74. Status lines go to
standard error, -q silences them.

A file or a pipe as output gets exact bytes, a terminal never does: there, everything that could drive it is made
visible. With --safe files and pipes get that, too.
"""

JSON = """\
json: for programs

With --json, `listen` and `dial` tell each event as one JSON object a line on standard output, and read one command a
line from standard input. Nothing else is on standard output; sentences for people are on standard error.

  {"event":"ready","protocol":1,"version":…,"peer":…}       the first line: who you are
  {"event":"listening","address":…}
  {"event":"invite","code":…,"link":…,"expires_at":…, …}    with --invite: what to tell whoever is to come
  {"event":"stranger","peer":…,"waiting":true, …}            somebody asks to be let in (--accept ask)
  {"event":"connected","peer":…,"name":…,"trust":…, …}      messages can flow
  {"event":"verified","peer":…,"how":"code", …}             whose key it is, is known now
  {"event":"claim_failed","peer":…,"reason":…, …}           a warning: a code was wrong, or somebody is in the middle
  {"event":"message","peer":…,"id":…,"text":…, …}           or "data", in base64
  {"event":"state","id":…,"ref":…,"state":"delivered", …}   queued, sent, delivered, read; or failed
  {"event":"typing","peer":…,"on":true}                      somebody over there types
  {"event":"leaving","peer":…, …}                            a goodbye: answer with close
  {"event":"disconnected","peer":…,"clean":true, …}          clean: both said goodbye; a dialer ends now
  {"event":"gap","peer":…}  {"event":"rolled_back","peer":…}  only in `p2pchat events`: something may be missing
  {"event":"who","peers":[…],"strangers":[…], …}             the answer to the command who
  {"event":"error","code":…,"message":…,"hint":…}

  {"command":"send","text":…}    with "ref" its states are told apart, with "peer" it is meant for one of several
  {"command":"accept","peer":…}  {"command":"reject","peer":…}  {"command":"block","peer":…}
  {"command":"verify","peer":…,"code":…}    a code that its owner has told you, or the 30 digits of its fingerprint
  {"command":"who"}  {"command":"read","id":…}  {"command":"close"}

A line that is no command is an error, and skipped. Unknown fields are ignored, on both sides. The end of input is
close for `dial`; for `listen` it only means that no more commands come. docs/reference/json.md has all fields, and a
schema. `p2pchat events --json` tells the same events of all runs, each with a cursor to go on from; `history`, `grep`,
`queue` and `why` print one object for each message, `contacts` one for each contact, `id` and `invite` one.
"""

PLACES = """\
places: what is kept where

  $XDG_DATA_HOME/p2pchat/PROFILE/       what the profile is, usually in ~/.local/share; --data-dir moves it
    identity.key                        your key: who has it can be you; `p2pchat id --passphrase` guards it
    identity.key.old-TIME               a key that you had before `p2pchat id --new`
    history.db                          what was said, what waits to be sent, and whom you know: their keys, your names
                                        for them, who may come in, and who is expected at which address
    draft                               what you typed and did not send, until the next start
  $XDG_CONFIG_HOME/p2pchat/config.toml  defaults of your own, if you make one: `p2pchat help configuration`
  $XDG_RUNTIME_DIR/p2pchat/PROFILE.sock  the door of the p2pchat that listens, for `p2pchat stdio`; without such a
                                         directory it is in run/, beside the key; so is PROFILE.addresses, where that
                                         one listens, for `p2pchat invite`
  $XDG_STATE_HOME/p2pchat/log           addresses and ids of who came and went, never what was said; 3 x 1 MiB at most

All of it is readable by you alone. With --guest nothing is written. Nothing is ever put in the current directory.
"""

CONFIGURATION = """\
configuration: defaults of your own

A flag beats the environment, which beats the file config.toml, which beats the default. `p2pchat config path` tells
where that file is looked for, usually ~/.config/p2pchat/config.toml; `p2pchat config show` tells what counts, and why.

  name = "alice"          # for every profile
  [profiles.work]         # for one of them, and above what is said for all
  name = "A. Liddell"

{table}

A --flag without a value is taken back by --no-flag (--no-input by --input): `p2pchat listen --no-guest`. In the
environment 1, true, yes and on say the same, as do 0, false, no and off; empty is as good as not set. A wrong value is
an error (78), wherever in the file it stands; an unknown key is only a warning.
"""


def _commands() -> str:
    return "\n".join(
        [
            "commands: what can be typed in a chat, where standard input is a terminal",
            "",
            *(f"  {line}" for line in commands.table()),
            "",
            "A beginning is enough where it fits one command only: /w for /who. //text sends a text that begins with a",
            "slash. Unknown commands are never sent; what may be a mistake, or has more than 10 lines, is sent at the",
            "second Enter.",
            "",
            "Keys: Esc Enter begins a new line, and what is pasted stays one message. Up and Down bring back what was",
            "typed, Ctrl-R searches in it, Tab completes commands, peers and paths, Ctrl-L clears the screen, Ctrl-Z",
            "stops the program until `fg`. Ctrl-D on an empty line is /quit. Ctrl-C clears the line, and twice on an",
            "empty one ends at once. What was typed and not sent at the end is there again at the next start, and is",
            "sent at the second Enter. The line takes 16384 characters; `p2pchat dial PEER < FILE` sends more.",
            "",
            "Your own messages wait above the line until it is certain what became of them: · queued, → sent; then",
            "they scroll up with ✓ delivered or ✗ failed. `✓ guest` was shown over there, and is kept nowhere.",
            "",
            "With --plain nothing is drawn: lines are appended, the terminal edits, Ctrl-C ends at once, and Ctrl-R",
            "shows a half-typed line again when something arrived in the middle of it.",
        ]
    )


def _configuration() -> str:
    rows = [("on the command line", "in config.toml", "in the environment")]
    for option in settings.OPTIONS.values():
        words = " ".join(filter(None, [option.flag, option.metavar]))
        value = option.kind.example.strip('"').replace("true", "1")
        rows.append((words, f"{option.name} = {option.kind.example}", f"{option.twin}={value}"))
    first, second = (max(len(row[column]) for row in rows) for column in (0, 1))
    return CONFIGURATION.format(table="\n".join(f"  {a:<{first}}  {b:<{second}}  {c}" for a, b, c in rows))


def _exit_codes() -> str:
    return f"exit codes: how a run ended\n\n{exit_codes.table()}\n\nA number here never changes its meaning."


PAGES: dict[str, Callable[[], str]] = {
    "addresses": lambda: ADDRESSES,
    "commands": _commands,
    "configuration": _configuration,
    "exit-codes": _exit_codes,
    "json": lambda: JSON,
    "pipes": lambda: PIPES,
    "places": lambda: PLACES,
}


def contents() -> str:
    """Return the list of everything that `p2pchat help` explains."""
    width = max(len(verb.name) for verb in verbs.VERBS)
    lines = [f"  {verb.name:<{width}}  {verb.summary}" for verb in verbs.VERBS]
    return "\n".join(
        ["verbs:", *lines, "", f"topics: {', '.join(PAGES)}", "", "`p2pchat help WORD` explains one of them"]
    )


def find(topic: str) -> str:
    """Return the page of `topic`, or an empty string."""
    page = PAGES.get(topic)
    return page() if page else ""


def nearest(topic: str) -> str:
    """Return the verb or topic that `topic` was most likely meant to be, or an empty string."""
    near = next(iter(difflib.get_close_matches(topic, [*PAGES, *verbs.BY_NAME], n=1)), "")
    return next((page for page in PAGES if near and page.startswith(near)), near)  # `configuration` tells more
