"""API keys and their records. One file holds salted hashes, and only its owner can read it.

A key has the form `wg-<id>-<secret>`. The id finds the record, so each request costs one hash. The
secret is 160 random bits, so a fast hash is enough.
"""

import hmac
import json
import secrets
from collections.abc import Callable, Iterable
from hashlib import blake2b
from pathlib import Path
from typing import Annotated, Literal, NamedTuple

from pydantic import Field, TypeAdapter, ValidationError

from router.config.server import KeyLimits
from router.config.values import Name, Values
from router.files import alone, write_durably
from router.wire.asgi import HeaderList
from router.wire.errors import Refused

Hex = Annotated[str, Field(pattern=r"^(?:[0-9a-f]{2})*$")]
KeyScope = Literal["app", "analyst", "admin"]


class Key(Values):
    """The record of a key. Nobody can work out the secret from the record."""

    id: str
    name: Name
    salt: Hex
    digest: Hex
    scopes: tuple[KeyScope, ...] = ("app",)
    plans: tuple[Name, ...] = ()
    limits: KeyLimits = KeyLimits()
    team: str = ""  # the team in whose budget, and in the budgets above, its requests count too
    shares: str = ""  # keys that name the same group share their solutions
    created: str = ""
    revoked: str = ""

    @property
    def remembers_as(self) -> str:
        """The owner of the solutions that this key stores and reuses."""
        return f"group {self.shares}" if self.shares else single_owner(self.id)


def single_owner(key_id: str) -> str:
    """The owner of what a key remembers that shares with no other."""
    return f"key {key_id}"


class Denied(Refused):
    """The key is missing or wrong, or lacks the scope for this request."""

    @property
    def headers(self) -> HeaderList:
        return [(b"www-authenticate", b"Bearer")] if self.status == 401 else []


_KEYS = TypeAdapter(tuple[Key, ...])
# Stands in for an unknown key, so that a wrong id takes as long as a wrong secret.
_NOBODY = Key(id="", name="nobody", salt="00", digest="")


class _Secret(NamedTuple):
    key: Key
    salt: bytes
    digest: bytes

    @classmethod
    def of(cls, key: Key) -> "_Secret":
        return cls(key, bytes.fromhex(key.salt), bytes.fromhex(key.digest))


class Keyring:
    def __init__(self, keys: Iterable[Key]) -> None:
        self._by_id = {key.id: key for key in keys}
        # Each record with its salt and digest as bytes, as every request compares them.
        self._secrets = {key.id: _Secret.of(key) for key in (*self._by_id.values(), _NOBODY)}

    @property
    def required(self) -> bool:
        """Whether requests need a key: yes, once a key was made, even if all keys are revoked."""
        return bool(self._by_id)

    def id_of(self, key: str) -> str:
        """The id in a caller's key; empty unless a key with this id exists."""
        key_id = _parts(key)[0]
        return key_id if key_id in self._by_id else ""

    def by_id(self, key_id: str) -> Key:
        """The record of a key by its id, for work in its name. Raises `Denied`."""
        key = self._by_id.get(key_id)
        if key is None or key.revoked:
            raise Denied(401, "revoked_api_key", "The key of this batch is not in force any more.")
        return key

    def identify(self, authorization: str) -> Key:
        """The record of the key in an Authorization header. Raises `Denied`."""
        scheme, _, credentials = authorization.strip().partition(" ")
        if scheme.lower() != "bearer" or not credentials.strip():
            hint = "send the header `Authorization: Bearer wg-...`"
            raise Denied(401, "missing_api_key", f"This service needs an API key: {hint}.")
        key_id, secret = _parts(credentials)
        record = self._secrets.get(key_id, self._secrets[_NOBODY.id])
        key, digest = record.key, _hash(secret, record.salt).digest()
        if not hmac.compare_digest(digest, record.digest) or key is _NOBODY:
            raise Denied(401, "invalid_api_key", "This API key is not known here.")
        if key.revoked:
            raise Denied(401, "revoked_api_key", f"This API key was revoked on {key.revoked}.")
        return key


def _parts(key: str) -> tuple[str, str]:
    """The id and the secret in a caller's key."""
    _, _, rest = key.strip().partition("wg-")
    key_id, _, secret = rest.partition("-")
    return key_id, secret


def _hash(secret: str, salt: bytes) -> blake2b:
    return blake2b(secret.encode("utf-8", "replace"), salt=salt)


def new_key(name: str, created: str, **settings: object) -> tuple[str, Key]:
    """Make a key, which its owner sees only once, and the record to store."""
    key_id, secret, salt = secrets.token_hex(5), secrets.token_hex(20), secrets.token_hex(16)
    digest = _hash(secret, bytes.fromhex(salt)).hexdigest()
    fields = {"id": key_id, "name": name, "salt": salt, "digest": digest, "created": created}
    return f"wg-{key_id}-{secret}", Key.model_validate(fields | settings)


def load_keys(path: Path) -> tuple[Key, ...]:
    if not path.exists():
        return ()
    try:
        return _KEYS.validate_json(path.read_bytes())
    except ValidationError as error:
        hint = "restore it from a copy, or move it away and make new keys"
        raise ValueError(f"{path} is not a key file: {hint}") from error


def save_keys(path: Path, keys: Iterable[Key]) -> None:
    records = [key.model_dump(mode="json") for key in keys]
    write_durably(path, json.dumps(records, indent=1).encode())


def change_keys(path: Path, change: Callable[[tuple[Key, ...]], Iterable[Key]]) -> None:
    """Apply `change` to the stored keys under a lock, so that two changes at once both count."""
    with alone(path.with_name(path.name + ".lock")):
        save_keys(path, change(load_keys(path)))
