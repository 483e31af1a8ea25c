"""The rules of the protocol as pure machines: bytes, frames and the time go in; bytes, frames and events come out."""
