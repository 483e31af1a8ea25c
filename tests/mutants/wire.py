"""Planted bugs in the wire format: bounds, padding, records, bodies."""

from __future__ import annotations

from tests.mutants.mutant import Mutant

CODEC = "p2pchat/wire/codec.py"
FRAMES = "p2pchat/wire/frames.py"
MESSAGES = "p2pchat/wire/messages.py"
PADDING = "p2pchat/wire/padding.py"
RECORDS = "p2pchat/wire/records.py"

T_CODEC = "tests/wire/test_codec.py::test_"
T_FRAMES = "tests/wire/test_frames.py::test_"
T_MESSAGES = "tests/wire/test_messages.py::test_"
T_RECORDS = "tests/wire/test_records.py::test_"
T_BAD = T_CODEC + "what_is_not_whole_frames_and_zeros_is_a_violation"
T_RESUME = T_FRAMES + "a_resume_that_contradicts_itself_is_a_bad_frame"

MUTANTS = [
    Mutant(
        "wire: padding unchecked",
        CODEC,
        "if not is_padding(plaintext, position):",
        "if not is_padding:",
        (T_BAD, "tests/protocol/test_connection_hostile.py"),
    ),
    Mutant(
        "wire: only the last byte of the padding checked",
        PADDING,
        "return plaintext.endswith(_ZEROS[: len(plaintext) - start])",
        "return start == len(plaintext) or plaintext[-1] == 0",
        ("tests/wire/test_padding.py::test_one_bit_in_the_padding_shows",),
    ),
    Mutant(
        "wire: padded to the next size but one",
        PADDING,
        "mask = (1 << (exponent - kept_bits)) - 1",
        "mask = (2 << (exponent - kept_bits)) - 1",
        ("tests/wire/test_padding.py::test_recorded_lengths_are_padded_as_recorded",),
    ),
    Mutant(
        "wire: a frame that is cut short is taken",
        CODEC,
        "        if position > end:\n",
        "        if not end:\n",
        (T_BAD,),
    ),
    Mutant(
        "wire: a header that is cut short is looked into",
        CODEC,
        "        if body > end:\n",
        "        if not end:\n",
        (T_BAD,),
    ),
    Mutant(
        "wire: deep nesting is a crash",
        CODEC,
        "except (DecodeError, UnicodeError, RecursionError) as exc:\n        # Hostile",
        "except (DecodeError, UnicodeError) as exc:\n        # Hostile",
        (T_BAD,),
    ),
    Mutant(
        "wire: text that is not UTF-8 is a crash",
        CODEC,
        "except (DecodeError, UnicodeError, RecursionError) as exc:\n        # Hostile",
        "except (DecodeError, RecursionError) as exc:\n        # Hostile",
        (T_BAD,),
    ),
    Mutant(
        "wire: unknown critical types ignored",
        CODEC,
        "if frame_type < FIRST_IGNORABLE:\n",
        "if frame_type < 0x30:\n",
        (T_CODEC + "unknown_types_below_80_are_unsupported",),
    ),
    Mutant(
        "wire: unknown types from 80 on refused",
        CODEC,
        "FIRST_IGNORABLE: Final = 0x80",
        "FIRST_IGNORABLE: Final = 0x90",
        (T_CODEC + "unknown_types_from_80_on_are_passed_over",),
    ),
    Mutant(
        "wire: the last bytes of a record left empty",
        CODEC,
        "if size > room:",
        "if size >= room:",
        (T_CODEC + "a_record_takes_whatever_fits_to_the_last_byte",),
    ),
    Mutant(
        "wire: own frames unchecked",
        CODEC,
        "if not isinstance(frame, Msg):",
        "if isinstance(frame, Msg):",
        (T_CODEC + "we_hold_ourselves_to_the_bounds",),
    ),
    Mutant(
        "wire: a RESUME may end before it begins",
        FRAMES,
        "if self.base > self.next:",
        "if self.base > self.next + 1:",
        (T_RESUME,),
    ),
    Mutant(
        "wire: the state in a RESUME may have any length",
        FRAMES,
        "if len(self.base_state) != 16 * (1 + (self.base - 1) % 64):",
        "if len(self.base_state) % 16:",
        (T_RESUME,),
    ),
    Mutant(
        "wire: the state in a RESUME never folded",
        FRAMES,
        "if len(self.base_state) != 16 * (1 + (self.base - 1) % 64):",
        "if len(self.base_state) != 16 * min(self.base, 64):",
        (T_RESUME,),
    ),
    Mutant(
        "wire: something seen of a log that is not known",
        FRAMES,
        "if self.peer_seen and not self.peer_epoch:",
        "if not self.peer_epoch and self.peer_seen > 1:",
        (T_RESUME,),
    ),
    Mutant(
        "wire: an empty batch taken",
        FRAMES,
        "Annotated[list[Entry], Meta(min_length=1)]",
        "Annotated[list[Entry], Meta(min_length=0)]",
        (T_FRAMES + "a_field_out_of_bounds_is_a_bad_frame", "tests/protocol/test_connection_hostile.py"),
    ),
    Mutant(
        "wire: a body one byte too long taken",
        FRAMES,
        "Meta(max_length=MAX_BODY)",
        "Meta(max_length=MAX_BODY + 1)",
        (T_FRAMES + "a_field_of_an_entry_out_of_bounds_is_a_bad_frame",),
    ),
    Mutant(
        "wire: an entry costs less than it weighs",
        FRAMES,
        "ENTRY_OVERHEAD: Final = 64",
        "ENTRY_OVERHEAD: Final = 32",
        (T_FRAMES + "an_entry_costs_at_least_its_encoded_size",),
    ),
    Mutant(
        "wire: a record of a tag alone taken",
        RECORDS,
        "MIN_RECORD: Final = 17",
        "MIN_RECORD: Final = 16",
        (T_RECORDS + "a_record_shorter_than_a_tag_and_a_byte_is_a_violation",),
    ),
    Mutant(
        "wire: the beginning of a record lost between reads",
        RECORDS,
        "            self._tail += view[position:]\n",
        "            self._tail += view[position + 1 :]\n",
        (
            T_RECORDS + "records_are_the_same_however_they_are_cut",
            T_RECORDS + "every_byte_alone_makes_the_same_records",
        ),
    ),
    Mutant(
        "wire: a record is a view of a buffer that changes",
        RECORDS,
        "            self._tail += view[position:]\n",
        "            self._tail = view[position:]  # type: ignore[assignment]\n",
        (T_RECORDS + "records_are_views_and_the_callers_buffer_may_be_reused",),
    ),
    Mutant(
        "wire: text measured in characters",
        MESSAGES,
        "return len(text.encode())",
        "return len(text)",
        (T_MESSAGES + "a_message_above_max_text_is_unreadable_and_never_written",),
    ),
    Mutant(
        "wire: a body that cannot be read is a crash",
        MESSAGES,
        "except (msgspec.DecodeError, UnicodeError, RecursionError):",
        "except (msgspec.DecodeError, RecursionError):",
        (T_MESSAGES + "a_body_that_is_not_what_its_kind_says_is_kept_as_it_is",),
    ),
]
