"""Bugs of keys at rest and of the users of one machine: passphrases, a second key, whom the kernel names.

Source: docs/protocol.md, section 9.
"""

from __future__ import annotations

from tests.mutants.mutant import Mutant

CREDENTIALS = "p2pchat/transports/credentials.py"
GATE = "p2pchat/node/gate.py"
IDENTITIES = "p2pchat/cli/identities.py"
KEYFILE = "p2pchat/store/keyfile.py"
KEYFORMAT = "p2pchat/store/keyformat.py"
PASSPHRASE = "p2pchat/cli/passphrase.py"
RESPONDER = "p2pchat/cli/responder.py"
SOCKET_FILE = "p2pchat/transports/socket_file.py"
UNIX = "p2pchat/transports/unix.py"
USAGE = "p2pchat/store/usage.py"

FILES = "tests/store/test_keyfile.py"
CHANGES = "tests/store/test_keyfile_changes.py"
FORMATS = "tests/store/test_keyformat.py"
ID = "tests/cli/test_id.py"
ASKED = "tests/cli/test_passphrase.py"
USERS = "tests/transports/test_unix_users.py"

FIRST_ON_DISK = f"{CHANGES}::test_the_first_key_is_on_the_disk_with_all_that_leads_to_it"
CHANGE_ON_DISK = f"{CHANGES}::test_what_replaces_a_key_is_on_the_disk_before_it_has_its_name"

_FILE = [
    Mutant(
        "key file: its directory is not synced",
        KEYFILE,
        old="            return False\n    os.fsync(directory)\n",
        new="            return False\n",
        tests=(FIRST_ON_DISK,),
    ),
    Mutant(
        "key file: the directory above is not synced",
        KEYFILE,
        old="            os.fsync(parent)",
        new="            pass",
        tests=(FIRST_ON_DISK,),
    ),
    Mutant(
        "key file: it has its name before it is on the disk",
        KEYFILE,
        old="            os.fsync(file.fileno())\n            yield scratch\n",
        new="            yield scratch\n            os.fsync(file.fileno())\n",
        tests=(FIRST_ON_DISK, CHANGE_ON_DISK),
    ),
    Mutant(
        "key file: written where somebody else waits",
        KEYFILE,
        old="os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW",
        new="os.O_CREAT",
        tests=(f"{CHANGES}::test_a_link_that_waits_where_the_key_is_written_is_not_followed",),
    ),
    Mutant(
        "key file: the owner does not count",
        KEYFILE,
        old="if status.st_uid != os.geteuid():",
        new="if False:",
        tests=(f"{FILES}::test_what_belongs_to_another_user_is_refused",),
    ),
    Mutant(
        "key file: the old key is moved away before there is a new one",
        KEYFILE,
        old="            aside = _second_name(path, directory, stamp)\n",
        new="            aside = _second_name(path, directory, stamp)\n"
        "            os.unlink(path.name, dir_fd=directory)\n",
        tests=(f"{FILES}::test_a_new_key_that_is_killed_at_any_step_leaves_the_old_one_or_both",),
    ),
    Mutant(
        "key file: the old key is not kept",
        KEYFILE,
        old="            os.link(path.name, aside.name, src_dir_fd",
        new="            dict(src_dir_fd",
        tests=(f"{CHANGES}::test_a_new_key_leaves_the_old_one_aside_as_it_was",),
    ),
    Mutant(
        "key file: what was left aside before is written over",
        KEYFILE,
        old="            os.link(path.name, aside.name, src",
        new="            aside.unlink(missing_ok=True)\n            os.link(path.name, aside.name, src",
        tests=(f"{CHANGES}::test_what_was_left_aside_before_is_never_written_over",),
    ),
    Mutant(
        "key file: another key is written over by an old one",
        KEYFILE,
        old="existing.peer_id != identity.peer_id",
        new="False",
        tests=(f"{CHANGES}::test_a_key_that_was_changed_meanwhile_is_left_alone",),
    ),
    Mutant(
        "key file: nobody takes turns",
        KEYFILE,
        old="fcntl.flock(directory, fcntl.LOCK_EX)",
        new="pass",
        tests=(f"{CHANGES}::test_those_who_replace_take_turns",),
    ),
]

_PASSPHRASES = [
    Mutant(
        "passphrase: written and not used",
        KEYFORMAT,
        old="    if not passphrase:\n",
        new="    if True:\n",
        tests=(f"{FORMATS}::test_a_passphrase_protects_the_key_with_bcrypt_of_24_rounds",),
    ),
    Mutant(
        "passphrase: fewer rounds",
        KEYFORMAT,
        old="ROUNDS: Final = 24",
        new="ROUNDS: Final = 16",
        tests=(f"{FORMATS}::test_a_passphrase_protects_the_key_with_bcrypt_of_24_rounds",),
    ),
    Mutant(
        "passphrase: another kind of key is taken for ours",
        KEYFORMAT,
        old='if kind != b"ssh-ed25519" or len(key) != KEY_LENGTH:',
        new="if False:",
        tests=(f"{FORMATS}::test_a_key_of_another_length_is_no_key",),
    ),
    Mutant(
        "passphrase: programs that we start inherit it",
        PASSPHRASE,
        old='os.environ.pop(CURRENT, "")',
        new='os.environ.get(CURRENT, "")',
        tests=(f"{ASKED}::test_the_environment_opens_the_key_and_no_program_that_we_start_sees_it",),
    ),
    Mutant(
        "passphrase: asked for where nobody can answer",
        PASSPHRASE,
        old="    if given or not ask:\n",
        new="    if given:\n",
        tests=(f"{ASKED}::test_without_any_it_is_told_where_it_belongs",),
    ),
    Mutant(
        "passphrase: the terminal stays dark after a signal",
        PASSPHRASE,
        old="if signal.getsignal(number) is not signal.SIG_IGN:",
        new="if False:",
        tests=(f"{ASKED}::test_whatever_ends_the_question_leaves_the_terminal_as_it_was[15-143]",),
    ),
    Mutant(
        "passphrase: one try",
        PASSPHRASE,
        old="TRIES: Final = 3",
        new="TRIES: Final = 1",
        tests=(f"{ASKED}::test_a_person_may_be_wrong_twice",),
    ),
    Mutant(
        "passphrase: a try too many",
        PASSPHRASE,
        old="            if not left:\n",
        new="            if left < 0:\n",
        tests=(f"{ASKED}::test_and_not_thrice",),
    ),
    Mutant(
        "passphrase: typed once",
        PASSPHRASE,
        old='if first == _asked("the same again: "):',
        new='if _asked("the same again: "):',
        tests=(f"{ASKED}::test_a_new_one_counts_when_it_was_typed_twice",),
    ),
    Mutant(
        "passphrase: the work is done in the event loop",
        RESPONDER,
        old="await trio.to_thread.run_sync(get)",
        new="get()",
        tests=(f"{ASKED}::test_the_work_is_done_outside_of_the_event_loop",),
    ),
    Mutant(
        "passphrase: who follows a protected key is not protected",
        IDENTITIES,
        old="if protect or isinstance(old, Locked) else",
        new="if protect else",
        tests=(f"{ID}::test_who_follows_a_protected_key_is_protected_and_the_old_passphrase_is_not_needed",),
    ),
    Mutant(
        "id --new: while a program of the profile runs",
        USAGE,
        old='            connection.execute("PRAGMA locking_mode = EXCLUSIVE")',
        new="            pass",
        tests=(
            f"{ID}::test_nobody_becomes_somebody_else_while_a_program_of_the_profile_runs",
            "tests/store/test_usage.py::test_who_has_the_database_open_runs_whatever_it_does",
        ),
    ),
]

_USERS = [
    Mutant(
        "unix: everybody is let in at a shared path",
        UNIX,
        old="if user is None or user.uid in self._admit:",
        new="if True:",
        tests=(
            f"{USERS}::test_who_is_not_named_is_sent_away_and_told_of_ever_more_rarely",
            f"{USERS}::test_root_is_nobody_special",
        ),
    ),
    Mutant(
        "unix: every path is shared",
        UNIX,
        old="others = self._shared.get(address.rest, frozenset())",
        new="others = frozenset().union(*self._shared.values())",
        tests=(f"{USERS}::test_no_other_path_is_shared",),
    ),
    Mutant(
        "unix: every socket is for everybody to knock at",
        SOCKET_FILE,
        old="0o666 if shared else 0o600",
        new="0o666",
        tests=(
            f"{USERS}::test_no_other_path_is_shared",
            "tests/transports/test_unix.py::test_socket_and_lock_are_for_this_user_alone",
        ),
    ),
    Mutant(
        "unix: each vain visit is told",
        UNIX,
        old="if times.bit_count() == 1:",
        new="if times:",
        tests=(f"{USERS}::test_who_is_not_named_is_sent_away_and_told_of_ever_more_rarely",),
    ),
    Mutant(
        "unix: vain visits fill the memory",
        UNIX,
        old="len(self._turned_away) < MAX_COUNTED",
        new="True",
        tests=(f"{USERS}::test_the_visits_of_very_many_users_are_counted_together",),
    ),
    Mutant(
        "unix: a process is taken for a user",
        CREDENTIALS,
        old="    pid, uid, _ = UCRED.unpack(data)",
        new="    uid, pid, _ = UCRED.unpack(data)",
        tests=(f"{USERS}::test_what_linux_says_is_read",),
    ),
    Mutant(
        "unix: shared where the system does not tell who comes",
        UNIX,
        old="if others and not credentials.TELLS:",
        new="if False:",
        tests=(f"{USERS}::test_where_the_system_does_not_tell_nothing_is_shared",),
    ),
    Mutant(
        "unix: other users are not limited",
        GATE,
        old="if user is not None and not user.is_ours:",
        new="if False:",
        tests=("tests/node/test_neighbours.py::test_another_user_is_counted_like_another_machine",),
    ),
]

MUTANTS = [*_FILE, *_PASSPHRASES, *_USERS]
