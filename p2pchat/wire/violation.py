"""What is wrong with what the peer said, and the code with which its link ends."""

from __future__ import annotations

from typing import TYPE_CHECKING, final

from p2pchat.errors import RemoteProtocolError

if TYPE_CHECKING:
    from p2pchat.wire.close_codes import CloseCode


@final
class Violation(RemoteProtocolError):
    """The peer broke a rule. The peer is told `code` and nothing more; the text is for our log and our user."""

    def __init__(self, code: CloseCode, message: str) -> None:
        super().__init__(message)
        self.code = code
