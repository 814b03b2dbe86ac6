"""The first packet of a session: what of it PostgreSQL gets, and whom the gateway lets in.

PostgreSQL itself asks for the password. It asks nobody for one who reaches its socket as the owner of the data folder,
which the gateway does with every session: so the roles to which that applies have no session through it.
"""

from __future__ import annotations

import struct

from local_redshift.server.installation import ADMINISTRATOR, DATABASE, METADATA
from local_redshift.wire.injection import ERROR, message_of

# Redshift's driver sends more, and PostgreSQL refuses a connection for each it does not know.
STARTUP_PARAMETERS = (b"user", b"database", b"application_name", b"options", b"client_encoding")
STARTUP_HEADER = 8  # its length and the protocol's version
OWN_ROLES = frozenset({ADMINISTRATOR.encode(), METADATA.encode()})


def parameters(packet: bytes) -> dict[bytes, bytes]:
    """The parameters of a startup packet that PostgreSQL knows; of one that comes twice the last holds, as there."""
    words = packet[STARTUP_HEADER:].split(b"\0")
    pairs = zip(words[0::2], words[1::2], strict=False)
    return {name: value for name, value in pairs if name in STARTUP_PARAMETERS}


def packet_of(packet: bytes, known: dict[bytes, bytes]) -> bytes:
    """The startup packet with these parameters alone."""
    kept = b"".join(b"%s\0%s\0" % pair for pair in known.items())
    return struct.pack("!i", STARTUP_HEADER + len(kept) + 1) + packet[4:STARTUP_HEADER] + kept + b"\0"


def refusal(known: dict[bytes, bytes]) -> bytes:
    """The error that ends a session on another database than the warehouse, or of a role of the stand-in's own."""
    user = known.get(b"user", b"")
    database = known.get(b"database") or user
    if database != DATABASE.encode():
        return message_of(ERROR, b"SFATAL\0C3D000\0", b'Mdatabase "%s" does not exist\0' % database, b"\0")
    if user in OWN_ROLES:
        return message_of(ERROR, b"SFATAL\0C28000\0", b'Mpassword authentication failed for user "%s"\0' % user, b"\0")
    return b""
