"""The tables of ``<data>/history.db``, and how each version of them came from the one before.

`MIGRATIONS[n]` leads from version n to n + 1; a new database runs through all of them. What was released never changes:
a change of the tables is a new entry at the end.

*Cursors* order everything. A message and an event take the next whole number when they are written, whoever writes
them, so that both tables together are one log: a message is its own first event. Clocks decide nothing.

No row of `pairs` ever goes, so SQLite is not asked to hold references: that would cost each row a search. A look at
the whole file checks them.

Columns that are long stand last: SQLite walks through all that stands before a column to find it.
"""

from __future__ import annotations

from typing import Final

#: "p2pc": in the header of the file, so that nobody takes another program's database for ours, `file` included.
APPLICATION_ID: Final = 0x70327063

# One row for each identity of ours and each peer it ever met: the delivery state of docs/protocol.md 6.1.
_PAIRS: Final = """
CREATE TABLE pairs (
  pair INTEGER PRIMARY KEY,
  own BLOB NOT NULL, peer BLOB NOT NULL,     -- Ed25519 keys
  name TEXT NOT NULL DEFAULT '',             -- what the peer calls itself: a claim
  guest INTEGER NOT NULL DEFAULT 0,          -- whether the peer keeps nothing
  met_ms INTEGER NOT NULL DEFAULT 0,         -- when the last link began or ended
  gen INTEGER NOT NULL DEFAULT 0, held_since REAL, held_by_smaller INTEGER,     -- the fence
  epoch BLOB NOT NULL, base INTEGER NOT NULL DEFAULT 1, base_state BLOB NOT NULL,
  next INTEGER NOT NULL DEFAULT 1, handed INTEGER NOT NULL DEFAULT 0,
  sent_through INTEGER NOT NULL DEFAULT 0, delivered_through INTEGER NOT NULL DEFAULT 0,   -- cursors of my messages
  waiting INTEGER NOT NULL DEFAULT 0,        -- how many of my messages are in the outbox
  peer_epoch BLOB NOT NULL DEFAULT x'', peer_seen INTEGER NOT NULL DEFAULT 0, peer_state BLOB NOT NULL,
  part_conv BLOB NOT NULL DEFAULT x'', parts INTEGER NOT NULL DEFAULT 0,        -- of a message that goes on
  read_through INTEGER NOT NULL DEFAULT 0,   -- the cursor up to which the peer's messages were shown, to whomever
  stored_bytes INTEGER NOT NULL DEFAULT 0,   -- what the peer made us keep
  UNIQUE (own, peer)
) STRICT
"""

# `cursor`: of the message that a final entry ends; NULL for parts, receipts, profiles and what was withdrawn.
_OUTBOX: Final = """
CREATE TABLE outbox (
  pair INTEGER NOT NULL REFERENCES pairs, seq INTEGER NOT NULL,
  id BLOB NOT NULL, kind INTEGER NOT NULL, sent_ms INTEGER NOT NULL, conv BLOB NOT NULL,
  cursor INTEGER, expires_ms INTEGER,
  body BLOB NOT NULL,
  PRIMARY KEY (pair, seq)
) STRICT, WITHOUT ROWID
"""

# What has come of a long message of the peer whose end has not come yet.
_PARTS: Final = """
CREATE TABLE parts (
  pair INTEGER NOT NULL REFERENCES pairs, n INTEGER NOT NULL, body BLOB NOT NULL,
  PRIMARY KEY (pair, n)
) STRICT, WITHOUT ROWID
"""

# What was said, both ways. A message that is deleted here leaves its row, without its body: its id stays known.
_MESSAGES: Final = """
CREATE TABLE messages (
  cursor INTEGER PRIMARY KEY,
  pair INTEGER NOT NULL REFERENCES pairs, mine INTEGER NOT NULL,
  id BLOB NOT NULL, seq INTEGER NOT NULL, kind INTEGER NOT NULL,
  sent_ms INTEGER NOT NULL,                  -- the claim of who said it
  at_ms INTEGER NOT NULL,                    -- when it was composed, or received, here
  read_ms INTEGER,                           -- mine: when the peer read it; theirs: when our receipt was queued
  failed TEXT,                               -- mine: why it will never arrive
  opening INTEGER NOT NULL,                  -- the `open_store` that wrote it: tells our process from others
  key TEXT, ref TEXT,                        -- what a program calls it
  body BLOB                                  -- of the whole message, as on the wire
) STRICT
"""

# `first` ... `last` are cursors of my messages; `count` is how many the event is about. It takes as many cursors, of
# which `cursor` is the last.
_EVENTS: Final = """
CREATE TABLE events (
  cursor INTEGER PRIMARY KEY, count INTEGER NOT NULL, at_ms INTEGER NOT NULL,
  kind TEXT NOT NULL, pair INTEGER NOT NULL REFERENCES pairs, gen INTEGER NOT NULL DEFAULT 0,
  first INTEGER NOT NULL DEFAULT 0, last INTEGER NOT NULL DEFAULT 0, detail TEXT NOT NULL DEFAULT ''
) STRICT
"""

_PINS: Final = """
CREATE TABLE pins (address TEXT PRIMARY KEY, peer BLOB NOT NULL, since_ms INTEGER NOT NULL) STRICT, WITHOUT ROWID
"""

#: What was released as version 1.
FIRST: Final = (
    _PAIRS,
    _OUTBOX,
    "CREATE INDEX outbox_expiry ON outbox (pair, expires_ms) WHERE expires_ms IS NOT NULL",
    _PARTS,
    _MESSAGES,
    "CREATE UNIQUE INDEX messages_id ON messages (pair, mine, id)",
    "CREATE INDEX messages_pair ON messages (pair)",
    "CREATE UNIQUE INDEX messages_key ON messages (pair, key) WHERE key IS NOT NULL",
    _EVENTS,
    "CREATE INDEX events_of ON events (pair, kind, last)",
    _PINS,
    # For `grep`: folded copies without the text itself, and by whom; up to which cursor there are any, how they were
    # folded, and whether the words of deleted messages are still in the file.
    "CREATE VIRTUAL TABLE search USING fts5(folded, who, content='', columnsize=0, tokenize='ascii')",
    "CREATE TABLE searchable (through INTEGER NOT NULL, version TEXT NOT NULL, purge INTEGER NOT NULL) STRICT",
    "INSERT INTO searchable VALUES (0, '', 0)",
)

# Whom I know, and how well; everybody who was accepted, blocked, verified or given a name here. Never a guest.
_CONTACTS: Final = """
CREATE TABLE contacts (
  peer BLOB PRIMARY KEY,                     -- Ed25519 key
  name TEXT NOT NULL,                        -- what I call the peer; empty if nothing
  accepted INTEGER NOT NULL, blocked INTEGER NOT NULL,
  verified_ms INTEGER, how TEXT,             -- when the key was verified last, and by what; both or neither
  since_ms INTEGER NOT NULL
) STRICT, WITHOUT ROWID
"""

# Codes that were given out and still work, and the secrets in them. A row goes when its code is dead.
_INVITES: Final = """
CREATE TABLE invites (
  slot INTEGER PRIMARY KEY,
  attempts INTEGER NOT NULL,
  tried_ms INTEGER NOT NULL,                 -- when the last attempt was counted
  expires_ms INTEGER NOT NULL,
  invitation INTEGER NOT NULL,               -- codes of one, made for one person: the first success ends all of them
  for_peer BLOB,                             -- the only one whom it lets claim it; NULL: whoever knows the secret
  secret TEXT NOT NULL
) STRICT
"""

# One row, for claims of codes that are not there: counting those costs the disk what counting the others does, so how
# long an answer takes does not tell which codes are.
_MISSES: Final = """
CREATE TABLE misses (attempts INTEGER NOT NULL, tried_ms INTEGER NOT NULL) STRICT
"""

# Whoever was pinned was dialled, and so accepted. The key of a guest is gone with its process.
_KNOW_THE_PINNED: Final = """
INSERT INTO contacts
SELECT peer, '', 1, 0, NULL, NULL, min(since_ms) FROM pins
WHERE peer NOT IN (SELECT peer FROM pairs WHERE guest = 1) GROUP BY peer
"""

#: What was added in version 2.
SECOND: Final = (_CONTACTS, _INVITES, _MISSES, "INSERT INTO misses VALUES (0, 0)", _KNOW_THE_PINNED)

MIGRATIONS: Final = (FIRST, SECOND)
