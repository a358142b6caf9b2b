"""`/v1/files`: what callers store, such as the lines of a batch, and what their batches wrote.

Every file belongs to one key, and nobody else sees it.
"""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial

from router.api.incoming import Admission, Incoming
from router.api.listing import Query, listed, page
from router.api.replies import request_id_header
from router.batches.owner import BatchOwner
from router.batches.stored_files import DAY, PURPOSES, FileStore, new_file_id, pieces_of
from router.domain import new_id
from router.engine.engine import Engine
from router.wire.errors import BadRequest, NotFound, Unavailable
from router.wire.multipart import FORM, boundary_of, is_form, parts_of, texts_in

FILE_MEDIA = (FORM,)
_MOST_LISTED = 10_000
_LONGEST_NAME = 255
_RETRY_SECONDS = 10.0
_KEEP_SECONDS = (3600, 365 * DAY)


@dataclass(frozen=True, slots=True)
class FilesEndpoint:
    engine: Engine
    admission: Admission
    batches: BatchOwner

    async def post(self, incoming: Incoming) -> None:
        key = await self.admission.admit(incoming, "app")
        kind = incoming.headers.get(b"content-type", b"")
        if not is_form(kind):
            rule = f"{FORM}, with the fields `file` and `purpose`"
            raise BadRequest(f"A file comes as {rule}.", "content-type")
        body = await self.admission.body(incoming, most=self._store.settings.largest_bytes)
        upload = await asyncio.to_thread(_upload_in, body, boundary_of(kind.decode("latin-1")))
        now = self.engine.wall()
        add = partial(
            self._store.add,
            key.id,
            upload.content,
            file_id=new_file_id(new_id(now)),
            filename=upload.filename,
            purpose=upload.purpose,
            now=now,
            keep_seconds=upload.keep_seconds,
            held_beside=await asyncio.to_thread(self.batches.store.held_bytes, key.id),
        )
        with storing():
            record = await asyncio.to_thread(add)
        await incoming.reply.json(200, record.json())

    async def get(self, incoming: Incoming) -> None:
        key = await self.admission.admit(incoming, "app")
        query = Query.of(incoming)
        files = await asyncio.to_thread(self._store.all, key.id, now=self.engine.wall())
        purpose = query.values.get("purpose")
        wanted = [each for each in files if purpose in (None, each.purpose)]
        limit = query.number("limit", default=_MOST_LISTED, most=_MOST_LISTED)
        items, more = page(query, wanted, limit=limit)
        await incoming.reply.json(200, listed([each.json() for each in items], more=more))

    async def get_one(self, incoming: Incoming) -> None:
        key = await self.admission.admit(incoming, "app")
        get = partial(self._store.get, key.id, incoming.params["id"], now=self.engine.wall())
        await incoming.reply.json(200, (await asyncio.to_thread(get)).json())

    async def delete(self, incoming: Incoming) -> None:
        key, file_id = await self.admission.admit(incoming, "app"), incoming.params["id"]
        await asyncio.to_thread(self._store.delete, key.id, file_id, now=self.engine.wall())
        await incoming.reply.json(200, {"id": file_id, "object": "file", "deleted": True})

    async def content(self, incoming: Incoming) -> None:
        key = await self.admission.admit(incoming, "app")
        store = self._store
        get = partial(store.get, key.id, incoming.params["id"], now=self.engine.wall())
        record = await asyncio.to_thread(get)
        pieces = pieces_of(store.path(key.id, record.id))
        try:
            piece = await asyncio.to_thread(next, pieces, b"")
        except FileNotFoundError:  # somebody deleted the file in this moment
            raise NotFound("file_not_found", f"There is no file `{record.id}`.", "id") from None
        # What somebody stored is never shown as a page of this service.
        headers = [
            (b"content-type", b"application/octet-stream"),
            (b"x-content-type-options", b"nosniff"),
            (b"content-disposition", b"attachment"),
            (b"content-length", str(record.bytes).encode()),
            request_id_header(incoming.id),
        ]
        await incoming.reply.begin(200, headers)
        while piece:
            await incoming.reply.more(piece)
            piece = await asyncio.to_thread(next, pieces, b"")
        await incoming.reply.end()

    @property
    def _store(self) -> FileStore:
        return self.batches.files


@contextmanager
def storing() -> Iterator[None]:
    """Say that the disk does not take something, which is no bug of Waggle."""
    try:
        yield
    except FileNotFoundError:
        raise NotFound("file_not_found", "The file is gone.", "input_file_id") from None
    except OSError as error:
        message = f"The service cannot store this now: {error.strerror or error}."
        raise Unavailable("not_stored", message, _RETRY_SECONDS) from None


@dataclass(frozen=True, slots=True)
class _Upload:
    content: bytes
    filename: str
    purpose: str
    keep_seconds: float | None


def _upload_in(body: bytes, boundary: bytes) -> _Upload:
    """The file of a form; `BadRequest` names what is wrong."""
    parts = parts_of(body, boundary)
    files = [part for part in parts if part.name == "file"]
    if len(files) != 1 or files[0].filename is None:
        raise BadRequest("The form needs one file in the field `file`.", "file")
    texts = texts_in(body, parts)
    purpose = texts.get("purpose", "")
    if purpose not in PURPOSES:
        rule = " or ".join(PURPOSES)
        raise BadRequest(f"`purpose` must be {rule} here, not {purpose[:80]!r}.", "purpose")
    file = files[0]
    name = (file.filename or "").rpartition("/")[2][:_LONGEST_NAME] or "file"
    return _Upload(body[file.start : file.end], name, purpose, _keep_seconds(texts))


def _keep_seconds(texts: dict[str, str]) -> float | None:
    """How long the file shall be kept, if the form says it."""
    text = texts.get("expires_after[seconds]")
    anchor = texts.get("expires_after[anchor]", "created_at")
    if anchor != "created_at":
        raise BadRequest("`expires_after[anchor]` must be created_at.", "expires_after")
    if text is None:
        return None
    return keep_seconds_in(int(text[:12]) if text.isascii() and text.isdigit() else text)


def keep_seconds_in(value: object) -> float:
    least, most = _KEEP_SECONDS
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
        rule = f"a whole number from {least} to {most}"
        raise BadRequest(
            f"`expires_after` must have seconds: {rule}, not {value!r:.80}.", "seconds"
        )
    return value
