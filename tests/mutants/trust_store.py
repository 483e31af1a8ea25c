"""Bugs of what is kept about trust: contacts, invites, names, and how older versions come to have them.

Source: docs/protocol.md, section 5.
"""

from __future__ import annotations

from tests.mutants.mutant import Mutant

ACCEPTED = "p2pchat/store/accepted.py"
CONTACTS = "p2pchat/store/contacts.py"
DATABASE = "p2pchat/store/database.py"
INVITES = "p2pchat/store/invites.py"
NAMES = "p2pchat/store/names.py"
SCHEMA = "p2pchat/store/schema.py"
STORE = "p2pchat/store/store.py"
TRANSACTION = "p2pchat/store/transaction.py"

CODES = "tests/store/test_invites_in_any_order.py::TestCodes"
DECISIONS = "tests/store/test_contacts_in_any_order.py::TestDecisions"


def _test(file: str, *names: str) -> tuple[str, ...]:
    return tuple(f"tests/store/test_{file}.py::test_{name}" for name in names)


_INVITES = [
    Mutant(
        "an attempt at a code is not counted",
        INVITES,
        '"UPDATE invites SET attempts = attempts + 1, tried_ms = ? WHERE slot = ?"',
        '"UPDATE invites SET tried_ms = ? WHERE slot = ?"',
        (
            CODES,
            *_test(
                "invites",
                "three_attempts_and_no_fourth",
                "several_processes_that_are_asked_at_once_give_three_replies_in_all",
                "a_process_that_is_killed_before_it_can_reply_has_used_up_an_attempt",
            ),
        ),
    ),
    Mutant(
        "a code may be tried four times",
        INVITES,
        "or invite.attempts >= MAX_ATTEMPTS or",
        "or invite.attempts > MAX_ATTEMPTS or",
        (CODES, *_test("invites", "three_attempts_and_no_fourth")),
    ),
    Mutant(
        "the last attempt at a code cannot succeed",
        INVITES,
        "OR (attempts >= ? AND tried_ms <= ?)",
        "OR (attempts >= ? AND tried_ms > ?)",
        _test(
            "invites",
            "the_third_attempt_may_still_succeed",
            "what_was_tried_for_the_last_time_goes_once_that_is_over",
        ),
    ),
    Mutant(
        "a code never expires",
        INVITES,
        "FROM invites WHERE expires_ms <= ? OR",
        "FROM invites WHERE expires_ms < 0 * ? OR",
        _test("invites", "when_the_time_is_up_it_is_no_code", "a_secret_that_is_dead_is_not_in_the_file"),
    ),
    Mutant(
        "a code works a moment too long",
        INVITES,
        "FROM invites WHERE expires_ms <= ? OR",
        "FROM invites WHERE expires_ms < ? OR",
        _test("invites", "when_the_time_is_up_it_is_no_code"),
    ),
    Mutant(
        "a code that is dead can be tried until somebody looks",
        INVITES,
        "    _bury(db)\n    with failures.naming(db.path):\n        row =",
        "    with failures.naming(db.path):\n        row =",
        _test("invites", "when_the_time_is_up_it_is_no_code"),
    ),
    Mutant(
        "a burnt code stays",
        INVITES,
        "    DELETE FROM invites WHERE invitation =",
        "    UPDATE invites SET attempts = attempts WHERE invitation =",
        (CODES, *_test("invites", "a_code_works_once")),
    ),
    Mutant(
        "whoever is second burns the next code",
        INVITES,
        "WHERE slot = ? AND secret = ?)",
        "WHERE slot = ? AND secret != 7 * ?)",
        _test("invites", "who_was_second_does_not_burn_the_next_code_in_that_slot"),
    ),
    Mutant(
        "the other code of an invite lives on",
        INVITES,
        "(SELECT invitation FROM invites WHERE slot = ?), (SELECT max",
        "(SELECT invitation FROM invites WHERE slot = -1 - ?), (SELECT max",
        _test("twins", "of_two_codes_for_one_person_one_works", "twins_are_burnt_both_or_neither"),
    ),
    Mutant(
        "whoever burns a code burns all",
        INVITES,
        "(SELECT max(invitation) + 1 FROM invites)",
        "(SELECT max(invitation) FROM invites)",
        _test("twins", "of_two_codes_for_one_person_one_works"),
    ),
    Mutant(
        "how long a reply takes tells which codes are there",
        INVITES,
        "            db.connection.execute(_MISS, (db.now_ms(),))\n",
        "",
        _test("invites", "an_attempt_costs_the_same_whatever_is_there"),
    ),
    Mutant(
        "anybody may claim the code of a contact",
        INVITES,
        "or invite.for_peer not in {None, peer}:",
        "or peer is None:",
        _test("invites", "a_code_for_one_peer_is_none_for_others_who_cannot_use_it_up"),
    ),
    Mutant(
        "a code for everybody can be claimed by nobody",
        INVITES,
        "or invite.for_peer not in {None, peer}:",
        "or invite.for_peer != peer:",
        _test("invites", "three_attempts_and_no_fourth"),
    ),
    Mutant(
        "a secret is in the log",
        INVITES,
        'return f"Invite(slot={self.slot}, expires_ms',
        'return f"Invite(slot={self.slot}, secret={self.secret}, expires_ms',
        _test("invites", "a_secret_is_in_no_log"),
    ),
    Mutant(
        "a slot that is free is not given out again",
        INVITES,
        "SELECT min(slot) FROM (SELECT 1 AS slot",
        "SELECT max(slot) FROM (SELECT 1 AS slot",
        _test("invites", "each_code_gets_the_smallest_slot_that_is_free"),
    ),
    Mutant(
        "dead codes stay while nobody asks for them",
        STORE,
        "        invites.expire(database)\n        return is_behind",
        "        return is_behind",
        _test("invites", "a_dead_code_goes_without_anybody_asking_for_it"),
    ),
]

_CONTACTS = [
    Mutant(
        "unblock forgets the contact",
        CONTACTS,
        '_set(db, peer, "blocked = 0")',
        "remove(db, peer)",
        (DECISIONS, *_test("contacts", "a_block_is_lifted_and_everything_is_as_it_was")),
    ),
    Mutant(
        "a block forgets that the contact was verified",
        CONTACTS,
        '_set(db, peer, "blocked = 1")',
        '_set(db, peer, "blocked = 1, verified_ms = NULL, how = NULL")',
        _test("contacts", "a_block_is_lifted_and_everything_is_as_it_was"),
    ),
    Mutant(
        "who is blocked can be accepted behind the block",
        CONTACTS,
        "(contact.accepted or contact.blocked)",
        "contact.accepted",
        (DECISIONS, *_test("contacts", "whoever_is_accepted_while_blocked_is_no_more_known_afterwards")),
    ),
    Mutant(
        "to verify is to unblock",
        CONTACTS,
        '"accepted = 1, verified_ms = ?, how = ?"',
        '"accepted = 1, blocked = 0, verified_ms = ?, how = ?"',
        _test("contacts", "nothing_but_unblock_lets_in_who_is_blocked"),
    ),
    Mutant(
        "who was verified is not let in",
        CONTACTS,
        '"accepted = 1, verified_ms = ?, how = ?"',
        '"verified_ms = ?, how = ?"',
        _test("contacts", "who_was_verified_is_let_in_and_it_is_kept_how_and_when"),
    ),
    Mutant(
        "verified counts for more than blocked",
        CONTACTS,
        "        if self.blocked:\n",
        "        if self.blocked and self.how is None:\n",
        _test("contacts", "nothing_but_unblock_lets_in_who_is_blocked"),
    ),
    Mutant(
        "two contacts have names that look alike",
        CONTACTS,
        "and names.alike(contact.name, name):",
        "and contact.name == name:",
        (DECISIONS, *_test("contacts", "no_two_have_names_that_look_alike")),
    ),
    Mutant(
        "any text is a petname",
        CONTACTS,
        'name = names.check_petname(name) if name else ""',
        "name = name.strip()",
        _test("contacts", "a_name_that_would_mislead_is_refused"),
    ),
    Mutant(
        "who is removed is still expected",
        CONTACTS,
        '        found += run("DELETE FROM pins WHERE peer = ? RETURNING 1", (peer.key,)).fetchall()\n',
        "",
        _test("contacts", "who_is_removed_is_a_stranger_and_expected_nowhere"),
    ),
    Mutant(
        "codes for somebody outlive the block",
        CONTACTS,
        '    _set(db, peer, "blocked = 1")\n    _burn_invites(db, peer)',
        '    _set(db, peer, "blocked = 1")',
        _test("contacts", "codes_for_somebody_are_dead_once_it_is_blocked_or_removed"),
    ),
    Mutant(
        "a damaged contact is believed",
        CONTACTS,
        "    if not (is_sound and ",
        "    if not ((is_sound or how is not None) and ",
        _test("contacts", "one_damaged_contact_and_none_counts"),
    ),
    Mutant(
        "a damaged name is believed",
        CONTACTS,
        "        return not name or names.check_petname(name) == name",
        "        return bool(name.isprintable() or names.check_petname(name))",
        _test("contacts", "a_damaged_name_is_damage_like_any_other"),
    ),
    Mutant(
        "damage is not looked for when the database is opened",
        DATABASE,
        "                trusted.check(database)\n",
        "",
        _test("trusted", "a_table_that_cannot_be_read_is_named", "a_row_that_makes_no_sense_is_named"),
    ),
    Mutant(
        "a guest is pinned and known",
        TRANSACTION,
        "if self.guest or (contact",
        "if (contact",
        (DECISIONS, *_test("contacts", "a_guest_is_neither_expected_nor_known")),
    ),
    Mutant(
        "who is blocked is pinned",
        TRANSACTION,
        "if self.guest or (contact is not None and contact.blocked):",
        "if self.guest:",
        _test("contacts", "nothing_but_unblock_lets_in_who_is_blocked"),
    ),
    Mutant(
        "who was dialled is pinned and not known",
        TRANSACTION,
        "            contacts.know(self._database, peer)\n",
        "            pass\n",
        _test("contacts", "who_answers_where_it_was_dialled_is_expected_there_and_known"),
    ),
    Mutant(
        "whoever answers is known, whoever is expected there",
        TRANSACTION,
        "        if is_new or pins.peer_at(self._database, address) == peer:\n",
        "        if peer:\n",
        _test("contacts", "who_answers_where_somebody_else_is_expected_is_not"),
    ),
]

_NAMES = [
    Mutant(
        "a letter of another script is another letter",
        NAMES,
        "        result = bare(seen).translate(_lookalikes())",
        "        result = bare(text)",
        _test(
            "names", "what_looks_alike_is_one_name", "whatever_unicode_takes_for_a_letter_or_a_digit_is_one_here_too"
        ),
    ),
    Mutant(
        "names are compared with their case",
        NAMES,
        "        result = text.casefold()",
        "        result = text",
        _test("names", "a_skeleton_has_no_case_and_its_own_is_itself"),
    ),
    Mutant(
        "what cannot be seen tells two names apart",
        NAMES,
        'return _UNSEEN.sub("", ',
        "return str(",
        _test("names", "what_looks_alike_is_one_name"),
    ),
    Mutant(
        "a name may turn the line around",
        NAMES,
        'unicodedata.category(char)[0] not in "CZ"',
        'unicodedata.category(char) not in {"Cc", "Cs"}',
        _test("names", "what_may_not"),
    ),
    Mutant(
        "a petname may look like an id",
        NAMES,
        "shape.startswith(_ID)",
        'name.startswith("peer1")',
        _test("names", "what_may_not"),
    ),
    Mutant(
        "blanks tell two names apart",
        NAMES,
        '.replace("vv", "w").split())',
        '.replace("vv", "w").split(" "))',
        _test("names", "what_looks_alike_is_one_name"),
    ),
    Mutant(
        "a Greek capital is another letter than its small one",
        NAMES,
        "    return frozenset({skeleton(text), skeleton(folded(text))})",
        "    return frozenset({skeleton(text)})",
        (*_test("names", "what_looks_alike_is_one_name"), "tests/ui/test_names.py::test_greek_capitals_hide_nobody"),
    ),
    Mutant(
        "a petname may look like a mark of ours",
        NAMES,
        "bool(_PLAIN.fullmatch(",
        "bool(str(",
        _test("names", "what_may_not"),
    ),
    Mutant(
        "a mixture of scripts is one",
        NAMES,
        "(len(scripts) < 2 or any(",
        "(len(scripts) < 3 or any(",
        _test("names", "several_ways_of_writing"),
    ),
]

_OLDER = [
    Mutant(
        "the migration forgets whom we dialled",
        SCHEMA,
        '"INSERT INTO misses VALUES (0, 0)", _KNOW_THE_PINNED)',
        '"INSERT INTO misses VALUES (0, 0)")',
        _test("migrations", "whoever_was_pinned_is_known_but_for_guests"),
    ),
    Mutant(
        "the migration takes guests for contacts",
        SCHEMA,
        "WHERE peer NOT IN (SELECT peer FROM pairs WHERE guest = 1) GROUP BY peer",
        "GROUP BY peer",
        _test("migrations", "whoever_was_pinned_is_known_but_for_guests"),
    ),
    Mutant(
        "the list of older versions is read again and again",
        ACCEPTED,
        "    _remove(path)\n    return news",
        "    return news",
        _test("accepted", "one_id_a_line_with_comments_and_blanks_is_known_and_the_file_is_gone"),
    ),
    Mutant(
        "the list of older versions is gone before anybody is known",
        ACCEPTED,
        "    peers = parse(content, path)\n",
        "    peers = parse(content, path)\n    _remove(path)\n",
        _test("accepted", "a_list_is_kept_as_long_as_nobody_could_be_made_a_contact"),
    ),
    Mutant(
        "others may write the list of older versions",
        ACCEPTED,
        "            _check(os.fstat(file.fileno()), path)\n",
        "",
        _test("accepted", "a_list_that_others_may_write_is_refused_with_the_cure"),
    ),
]

MUTANTS = [*_INVITES, *_CONTACTS, *_NAMES, *_OLDER]
