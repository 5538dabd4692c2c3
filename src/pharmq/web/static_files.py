"""The browser UI: built files from the wheel, compressed once, with the index page behind every other path."""

import gzip
import hashlib
import mimetypes
from pathlib import Path
from typing import Any

import msgspec
from litestar import Request, Response, get
from litestar.exceptions import NotFoundException

FOLDER = Path(__file__).parent / "static"
_COMPRESSIBLE = ("text/", "application/javascript", "application/json", "image/svg+xml")
_FOREVER = "public, max-age=31536000, immutable"


class File(msgspec.Struct, frozen=True):
    body: bytes
    gzipped: bytes | None
    media_type: str
    etag: str
    immutable: bool


class UiFiles:
    """Reads a file on first use and keeps it; only names found at the start are served."""

    def __init__(self, folder: Path = FOLDER) -> None:
        self.folder = folder
        self._names = (
            {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
            if folder.is_dir()
            else set()
        )
        self._files: dict[str, File] = {}

    @property
    def built(self) -> bool:
        return "index.html" in self._names

    def find(self, name: str) -> File | None:
        if name not in self._names:
            return None
        if name not in self._files:
            self._files[name] = _load(self.folder / name, immutable=name.startswith("assets/"))
        return self._files[name]


def _load(path: Path, *, immutable: bool) -> File:
    body = path.read_bytes()
    media_type = mimetypes.guess_type(path.name)[0] or "application/octet-stream"
    if path.suffix == ".js":
        media_type = "text/javascript"
    small = gzip.compress(body, 9, mtime=0) if media_type.startswith(_COMPRESSIBLE) and len(body) > 1024 else None
    etag = f'"{hashlib.sha256(body).hexdigest()[:32]}"'
    return File(body, small, media_type, etag, immutable)


def _answer(request: Request[Any, Any, Any], file: File) -> Response[bytes]:
    headers = {
        "ETag": file.etag,
        "Cache-Control": _FOREVER if file.immutable else "no-cache",
        "Vary": "Accept-Encoding",
    }
    if request.headers.get("if-none-match") == file.etag:
        return Response(content=b"", status_code=304, headers=headers)
    body = file.body
    if file.gzipped is not None and "gzip" in request.headers.get("accept-encoding", ""):
        body = file.gzipped
        headers["Content-Encoding"] = "gzip"
    return Response(content=body, media_type=file.media_type, headers=headers)


@get(["/", "/{path:path}"], include_in_schema=False, opt={"public": True})
async def ui(request: Request[Any, Any, Any], ui_files: UiFiles, path: str = "/") -> Response[bytes]:
    """A built file, or the page itself, whose router knows the rest of the address."""
    name = path.strip("/")
    if name == "api" or name.startswith("api/"):
        raise NotFoundException
    file = ui_files.find(name)
    if file is None and "." not in name.rpartition("/")[2]:
        file = ui_files.find("index.html")
    if file is None:
        raise NotFoundException
    return _answer(request, file)
